"""Connection: statements on a session's connection are savepoints in its transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import peewee
import pytest

from notiway.store.engine import turns
from notiway.store.engine.faults import DatabaseUnavailable
from notiway.store.session.connection import open_for


@pytest.fixture
def raw(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection as SQLAlchemy opens it."""
    opened = sqlite3.connect(tmp_path / "shop.db", timeout=5)
    opened.executescript("PRAGMA journal_mode = wal; CREATE TABLE thing (name TEXT)")
    yield opened
    opened.close()


def names(raw: sqlite3.Connection) -> list[str]:
    return [row[0] for row in raw.execute("SELECT name FROM thing")]


def test_a_savepoint_outside_of_a_transaction_begins_one(raw: sqlite3.Connection) -> None:
    database: Any = open_for("sqlite")
    with database.notiway_guard.used(raw):
        with database.atomic():
            database.execute_sql("INSERT INTO thing VALUES ('kept')")
        with pytest.raises(ZeroDivisionError), database.atomic():
            database.execute_sql("INSERT INTO thing VALUES ('undone')")
            raise ZeroDivisionError
    assert (names(raw), raw.in_transaction) == (["kept"], True)
    raw.rollback()
    assert names(raw) == []


def test_the_application_s_patience_is_given_back(raw: sqlite3.Connection) -> None:
    database: Any = open_for("sqlite")
    with database.notiway_guard.used(raw):
        assert raw.execute("PRAGMA busy_timeout").fetchone() == (0,)
    assert raw.execute("PRAGMA busy_timeout").fetchone() == (5000,)


def test_what_is_to_be_done_after_the_commit_is_gathered_and_forgotten_with_its_savepoint(
    raw: sqlite3.Connection,
) -> None:
    database: Any = open_for("sqlite")
    guard = database.notiway_guard
    with guard.used(raw):
        database.after_commit(str)
        with pytest.raises(ZeroDivisionError), database.atomic():
            database.after_commit(int)
            raise ZeroDivisionError
        assert guard.take_calls() == [str]
        assert guard.take_calls() == []


def test_a_transaction_that_has_read_before_another_wrote_is_told_so_at_once(
    raw: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LOCK_WAIT_SECONDS", 600)  # so that waiting would be noticed
    raw.execute("BEGIN")
    names(raw)
    with sqlite3.connect(tmp_path / "shop.db") as other:
        other.execute("INSERT INTO thing VALUES ('other')")
    other.close()
    database: Any = open_for("sqlite")
    with database.notiway_guard.used(raw), pytest.raises(DatabaseUnavailable, match="in the way"):
        database.execute_sql("INSERT INTO thing VALUES ('late')")


def test_sqlite_that_gave_up_the_transaction_is_noticed(raw: sqlite3.Connection) -> None:
    database: Any = open_for("sqlite")
    with database.notiway_guard.used(raw):
        assert not database.notiway_guard.has_lost(raw)
        raw.rollback()
        assert database.notiway_guard.has_lost(raw)


def test_nothing_of_ours_begins_commits_or_closes(raw: sqlite3.Connection) -> None:
    database: Any = open_for("sqlite")
    with database.notiway_guard.used(raw):
        database.execute_sql("INSERT INTO thing VALUES ('one')")
        assert (database.connect(), database.close(), database.in_transaction()) == (False, False, True)
        database.begin(), database.commit(), database.rollback()
        with pytest.raises(peewee.PeeweeException):
            database.execute_sql("INSERT INTO nothing VALUES (1)")
    raw.commit()
    assert names(raw) == ["one"]
