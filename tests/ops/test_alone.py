"""Alone: one process serves a SQLite file with the memory broker, and its lock ends with it."""

import subprocess
import sys
from pathlib import Path

import pytest
from peewee import SqliteDatabase

from notiway.ops import alone
from notiway.values.config import Config
from notiway.values.errors import ConfigError

OTHER = """
import sys
from peewee import SqliteDatabase
from notiway.ops.alone import check_alone
from notiway.values.config import Config
check_alone(Config(drain_seconds=0), SqliteDatabase(sys.argv[1]))
print("serving", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def database(tmp_path):
    return SqliteDatabase(str(tmp_path / "notiway.db"))


@pytest.fixture
def other(database, monkeypatch):
    """Another process that serves the same database."""
    monkeypatch.setattr(alone, "MARGIN_SECONDS", 0.0)
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, database.database], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "serving\n"
        yield process
        process.kill()


def check(database, **settings):
    alone.check_alone(Config(drain_seconds=0, **settings), database)


def test_a_second_process_is_refused_until_the_first_was_killed(database, other):
    for _ in range(2):
        with pytest.raises(ConfigError, match="refuses to serve") as caught:
            check(database)
    assert database.database in caught.value.faults[0].message
    other.kill()
    other.wait()
    check(database)


def test_whether_a_file_is_served_is_seen_without_taking_its_lock(database, other):
    path = Path(database.database)
    assert alone.is_served(path)
    other.kill()
    other.wait()
    assert not alone.is_served(path)
    check(database)
    assert alone.is_served(path)
    assert not alone.is_served(path.with_name("another.db"))


def test_a_process_that_is_being_replaced_is_waited_for(database, other, monkeypatch):
    monkeypatch.setattr(alone, "MARGIN_SECONDS", 60.0)
    other.stdin.close()
    check(database)


def test_what_shares_a_process_a_broker_or_no_file_is_not_refused(database, other, tmp_path):
    check(database, broker_url="redis://localhost")
    check(SqliteDatabase(":memory:"))
    for _ in range(2):
        check(SqliteDatabase(str(tmp_path / "own.db")))


def test_where_there_can_be_no_lock_the_log_says_so(tmp_path, caplog):
    check(SqliteDatabase(str(tmp_path / "no such folder" / "notiway.db")))
    assert "would not be noticed" in caplog.text


def test_an_application_that_stopped_lets_go_of_its_file(make_app):
    app = make_app()
    running, file = app.extensions["notiway"], Path(app.config["NOTIWAY_DATABASE_URL"].removeprefix("sqlite:///"))
    app.test_client().get("/sign-in")
    assert alone.is_served(file)
    running.stop()
    assert not alone.is_served(file)
