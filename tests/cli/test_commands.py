"""Commands: all are there, explain themselves, and tell a fault in one line."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from foreign.tutorial import ROOT

from notiway.store.engine import turns


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


@pytest.mark.sqlite
def test_a_locked_database_is_told_with_the_remedy(notiway, app, monkeypatch):
    monkeypatch.setattr(turns, "LOCK_WAIT_SECONDS", 0.02)
    with closing(sqlite3.connect(app.extensions["notiway"].database.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = notiway("key", "add", "billing", "--scope", "publish")
    assert result.exit_code == 1
    assert "database is locked" in result.output
    assert "look for a long transaction" in result.output
    assert "migrate" not in result.output


@pytest.mark.sqlite
def test_a_damaged_database_is_restored_and_not_migrated(notiway, app):
    path = Path(app.extensions["notiway"].database.database)
    app.extensions["notiway"].database.close_all()
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 100_000)
    for words in (("key", "list"), ("user", "list"), ("cleanup",)):
        result = notiway(*words)
        assert result.exit_code == 1
        assert "restore a backup" in result.output
        assert "notiway migrate" not in result.output
