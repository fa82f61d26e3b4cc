"""Commands: all are there, explain themselves, and tell a fault in one line."""

import os
import subprocess
import sys

import pytest
from foreign.tutorial import ROOT


def test_every_command_of_the_contract_is_there_and_explains_itself(app, notiway):
    names = {"migrate", "cleanup", "user", "key", "send", "demo", "doctor", "config", "worker", "member"}
    assert names <= set(app.cli.commands["notiway"].commands)
    for name in names:
        assert app.cli.commands["notiway"].commands[name].help
        assert notiway(name, "--help").exit_code == 0


def test_a_command_on_an_empty_database_says_what_to_run(notiway):
    notiway("migrate", "--down", "0001_users", "--yes")
    result = notiway("user", "list")
    assert result.exit_code == 1
    assert "notiway migrate" in result.output


@pytest.mark.parametrize("words", [("config",), ("doctor",), ("migrate",)])
def test_a_wrong_setting_is_told_in_one_line(tmp_path, words):
    environ = os.environ | {"NOTIWAY_QUEUE_LIMIT": "few", "NOTIWAY_DATABASE_URL": f"sqlite:///{tmp_path}/n.db"}
    command = [sys.executable, "-m", "flask", "--app", "app", "notiway", *words]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert "NOTIWAY_QUEUE_LIMIT" in done.stderr
    assert done.stderr.count("\n") == 1
