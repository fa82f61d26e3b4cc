"""Copying commands: `backup` while the server runs, `move-store` only while it does not."""

import fcntl
import sqlite3
from pathlib import Path

import pytest

from notiway.ops.alone import SUFFIX


@pytest.fixture
def database_kind():
    return "sqlite"


@pytest.fixture
def file(app, send, user):
    send(user, "Hi")
    return app.extensions["notiway"].database.database


def test_a_backup_is_written_and_its_size_said(notiway, file, tmp_path):
    done = notiway("backup", str(tmp_path / "copy.db"))
    assert done.exit_code == 0
    assert done.output == f"Wrote {(tmp_path / 'copy.db').stat().st_size:,} bytes to {tmp_path / 'copy.db'}\n"
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        assert copy.execute("SELECT title FROM notiway_notification").fetchall() == [("Hi",)]
    copy.close()


@pytest.mark.parametrize(("path", "said"), [("taken.db", "there already"), ("no/folder.db", "unable to open")])
def test_a_backup_that_is_not_made_says_why(notiway, file, tmp_path, path, said):
    (tmp_path / "taken.db").touch()
    done = notiway("backup", str(tmp_path / path))
    assert done.exit_code == 1
    assert said in done.output
    assert "Traceback" not in done.output


@pytest.mark.postgresql
def test_rows_are_moved_and_counted(notiway, file, postgres):
    done = notiway("move-store", postgres.empty())
    assert done.exit_code == 0, done.output
    assert "           1  notiway_notification\n" in done.output
    assert "Set NOTIWAY_DATABASE_URL" in done.output
    assert "circle" not in done.output


@pytest.mark.postgresql
def test_a_running_server_is_stopped_first(notiway, file, postgres, monkeypatch):
    with Path(f"{file}{SUFFIX}").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = notiway("move-store", postgres.empty())
    assert done.exit_code == 1
    assert "stop it first" in done.output


def test_an_address_that_is_none_is_told_without_its_password(notiway, file):
    done = notiway("move-store", "postgresql://app:hunter2@[db/shop")
    assert done.exit_code == 1
    assert "hunter2" not in done.output


def test_a_server_that_is_away_is_told_in_one_line(notiway, file):
    done = notiway("move-store", "postgresql://app:hunter2@127.0.0.1:1/shop")
    assert done.exit_code == 1
    assert "cannot answer" in done.output
    assert "hunter2" not in done.output
