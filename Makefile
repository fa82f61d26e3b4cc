# Two commands: `make run` serves Notiway on this machine, `make test` checks everything.
PYTHON ?= python3
PORT ?= 5000
ROUNDS ?= 100
SCHEDULES ?= 10000
FROM ?= 0
PROCESSES ?= 2
VENV := .venv
BIN := $(VENV)/bin
# uv reads pyproject.toml, so that there is one list of dependencies.
LOCK := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml
ON_POSTGRESQL := $(addprefix tests/,store verbs web gateway live ops cli host server test_extension.py)
EXTRAS := --extra server --extra redis --extra postgresql --extra sqlalchemy

# Ends with one line when somebody else has the port.
define FREE
import os, socket, sys
port = os.environ["PORT"]
with socket.socket() as probe:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", int(port)))
    except (OSError, ValueError, OverflowError):
        sys.exit(f"Port {port} is in use, or you may not use it. Choose another: make run PORT=5001")
endef
export FREE

export PYTHON
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start hundreds of processes, and each one that compiles Notiway anew takes half as long again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check format chaos chaos-postgresql chaos-nodes nodes test-postgresql simulate mutants bundle pictures benchmarks lock clean

help:
	@echo "make run     serve on http://127.0.0.1:$(PORT) with demo users (PORT=… to change)"
	@echo "make test    check and test everything"
	@echo "make chaos   kill the real server under load, ROUNDS=$(ROUNDS) times, and count what was lost"
	@echo "make chaos-postgresql  restart, crash, fail over and hold up PostgreSQL under load, ROUNDS=$(ROUNDS) times each"
	@echo "make chaos-nodes  kill nodes and the live process, stop, freeze and cut off Redis under load, ROUNDS=$(ROUNDS) times each"
	@echo "make nodes   three nodes behind nginx: what each costs, and what is lost while they restart"
	@echo "make test-postgresql   run what touches the store on PostgreSQL"
	@echo "make simulate SCHEDULES=100000   run that many random schedules of the simulation (FROM=…, PROCESSES=…)"
	@echo "make check   lint, format, types, layers"
	@echo "make format  fix what lint and format can fix"
	@echo "make mutants break the code in small ways, and see that tests notice"
	@echo "make benchmarks  see that the benchmark of the fan-out runs and says what it promises"
	@echo "make bundle  put the bell's scripts and styles into one file each"
	@echo "make pictures  take those of every state that docs/explanation/looks.md shows"
	@echo "make lock    renew requirements*.txt from pyproject.toml"

run: export NOTIWAY_ENV := development
run: export PORT := $(PORT)
run: $(VENV)/.run
	@$(BIN)/python -c "$$FREE"
	@$(BIN)/flask --app app notiway migrate
	@$(BIN)/flask --app app notiway demo --if-empty
	@printf '\n  Notiway    http://127.0.0.1:%s\n  Sign in    demo@example.com   password notiway\n  As staff   staff@example.com  password notiway\n  Stop       Ctrl-C\n\n' '$(PORT)'
	@exec $(BIN)/gunicorn app:app

test: $(VENV)/.dev
	@bin/need chromium headless-shell redis postgresql node nginx caddy haproxy prometheus openssl curl
	@$(MAKE) --no-print-directory check
	# More workers than cores, for half of the time goes by in waiting; a file's tests share what they start.
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

chaos: $(VENV)/.dev
	@bin/need redis
	PYTHONPATH=.:tests $(BIN)/python -m chaos --rounds $(ROUNDS)

chaos-postgresql: $(VENV)/.dev
	@bin/need redis postgresql
	PYTHONPATH=.:tests $(BIN)/python -m chaos.database_faults --rounds $(ROUNDS)

chaos-nodes: $(VENV)/.dev
	@bin/need redis postgresql
	PYTHONPATH=.:tests $(BIN)/python -m chaos.node_faults --rounds $(ROUNDS)

nodes: $(VENV)/.dev
	@bin/need redis postgresql nginx
	PYTHONPATH=.:tests $(BIN)/python -m deploy

# What `make test` runs on SQLite, on PostgreSQL: pages, API, live connections, commands, and the real servers.
test-postgresql: $(VENV)/.dev
	@bin/need redis postgresql node
	TEST_DATABASE=postgresql $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(ON_POSTGRESQL)

simulate: $(VENV)/.dev
	$(BIN)/python -m tests.simulation --schedules $(SCHEDULES) --from $(FROM) --processes $(PROCESSES)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@# With it, whether every test can be found. That also leaves their bytecode, which each worker would make anew.
	@echo $(BIN)/mypy; $(BIN)/mypy & types=$$!; \
	$(BIN)/pytest --collect-only -qq >$(VENV)/.collected || { cat $(VENV)/.collected; wait $$types; exit 1; }; \
	wait $$types
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Some minutes; with words, only those of that name: make mutants ONLY="cursor token"
mutants: $(VENV)/.dev
	cd tests && ../$(BIN)/python -m mutants $(ONLY)

benchmarks: $(VENV)/.dev
	$(BIN)/pytest -q -m slow tests/repository/test_benchmark.py

bundle: $(VENV)/.dev
	@bin/need node
	$(BIN)/python bin/bundle

pictures: $(VENV)/.dev
	@bin/need headless-shell
	mkdir -p docs/images/states
	TEST_PICTURES=$(CURDIR)/docs/images/states $(BIN)/pytest -q tests/browser/test_looks.py -k axe

lock: $(VENV)/.dev
	$(BIN)/$(LOCK) $(EXTRAS) -o requirements.txt
	$(BIN)/$(LOCK) $(EXTRAS) --group dev -c requirements.txt -o requirements-dev.txt

clean:
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# The stamps keep a second run from installing again.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "Notiway needs Python 3.11, 3.12 or 3.13; '$(PYTHON)' is not one (or is missing). Try: make PYTHON=python3.12 …" >&2; exit 1; }
	@bin/need venv
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(BIN)/python
	$(BIN)/pip install --quiet --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(BIN)/python
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.run
