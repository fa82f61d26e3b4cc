"""The guard of a SQLite database: which file it has open, and whether another process may write."""

from __future__ import annotations

import sqlite3

import pytest

from notiway.store.database import open_database
from notiway.store.engine.guard import guard_of
from notiway.store.engine.sqlite_guard import SqliteGuard, identity


@pytest.fixture
def path(tmp_path):
    return tmp_path / "guarded.sqlite3"


@pytest.fixture
def opened(path):
    database = open_database(f"sqlite:///{path}")
    with database.connection_context():
        database.execute_sql("CREATE TABLE t (x INTEGER)")
        yield database


def test_a_sqlite_database_gets_this_guard(opened):
    assert isinstance(guard_of(opened), SqliteGuard)


def test_a_transaction_has_the_turn_until_its_end(opened):
    state = opened._state
    with opened.atomic():
        assert state.has_turn
        with opened.atomic():
            assert state.has_turn
        assert state.has_turn  # a savepoint's end is not the end
    assert not state.has_turn


def test_a_transaction_that_fails_leaves_its_turn_and_no_row(opened):
    with pytest.raises(ZeroDivisionError), opened.atomic():
        opened.execute_sql("INSERT INTO t VALUES (1)")
        1 / 0  # noqa: B018
    assert not opened._state.has_turn
    assert opened.execute_sql("SELECT COUNT(*) FROM t").fetchone() == (0,)


def test_a_deferred_transaction_reads_while_another_process_writes(opened, path):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with opened.atomic("DEFERRED"):
        assert opened.execute_sql("SELECT COUNT(*) FROM t").fetchone() == (0,)
    other.close()


def test_how_long_it_was_refused_counts_from_the_first_refusal(opened, path):
    guard = guard_of(opened)
    assert guard.try_to_write() == 0
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    first = guard.try_to_write()
    since = guard.refused_at
    assert since is not None
    assert guard.try_to_write() >= first
    assert guard.refused_at == since
    other.close()
    assert guard.try_to_write() == 0
    assert guard.refused_at is None


def test_another_file_at_the_same_path_is_noticed(opened, path):
    guard = guard_of(opened)
    assert not guard.has_moved()
    path.rename(path.with_suffix(".old"))
    assert guard.has_moved()
    sqlite3.connect(path).close()
    path.touch()
    assert guard.has_moved()


def test_no_file_has_no_identity(tmp_path):
    assert identity(tmp_path / "none") is None
    assert identity(tmp_path) is not None
