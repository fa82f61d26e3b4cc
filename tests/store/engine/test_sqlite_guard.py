"""The guard of a SQLite database: which file it has open, and whether another process may write."""

from __future__ import annotations

import sqlite3
import threading

import pytest
from servers import wait_until

from notiway.store.database import open_database
from notiway.store.engine import sqlite_guard
from notiway.store.engine.faults import DatabaseUnavailable
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


@pytest.fixture
def in_line(opened):
    """Writes in a thread while this one has the turn; what it raised, once it has ended."""

    def write():
        faults = []

        def work():
            try:
                with opened.connection_context():
                    opened.execute_sql("SELECT 1")
                    with opened.atomic():
                        opened.execute_sql("INSERT INTO t VALUES (1)")
            except RuntimeError as error:
                faults.append(str(error))

        thread = threading.Thread(target=work)
        with opened.atomic():
            thread.start()
            wait_until(lambda: len(guard_of(opened).turns) == 1)
        thread.join(20)
        assert not thread.is_alive()
        return faults

    return write


def test_sockets_have_their_turn_before_each_writer_that_stood_in_line(opened, in_line, monkeypatch):
    pauses = []
    monkeypatch.setattr(sqlite_guard, "pause", lambda: pauses.append("others"))
    assert in_line() == []
    assert pauses == ["others"]
    assert opened.execute_sql("SELECT COUNT(*) FROM t").fetchone() == (1,)


def test_a_writer_that_is_killed_in_that_moment_leaves_its_turn(opened, in_line, monkeypatch):
    def killed():
        raise RuntimeError("killed")

    monkeypatch.setattr(sqlite_guard, "pause", killed)
    assert in_line() == ["killed"]
    assert guard_of(opened).turns.take()
    guard_of(opened).turns.leave()


@pytest.fixture
def aside(opened):
    """The statements whose commits went aside; what they called is done where it was asked."""
    calls = []
    guard_of(opened).aside = lambda call: calls.append(call())
    return calls


def insert(opened, rows):
    opened.execute_sql(
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ?) INSERT INTO t SELECT x FROM c",
        (rows,),
    )


def test_the_commit_of_a_large_transaction_goes_aside_and_a_small_one_does_not(opened, aside):
    for rows, expected in [(sqlite_guard.MANY_ROWS, 1), (1, 1), (sqlite_guard.MANY_ROWS - 1, 1), (1_000, 2)]:
        with opened.atomic(), opened.atomic():
            insert(opened, rows)
        assert len(aside) == expected
        assert not opened.connection().in_transaction
    assert opened.execute_sql("SELECT COUNT(*) FROM t").fetchone() == (2 * sqlite_guard.MANY_ROWS + 1_000,)


def test_a_commit_aside_that_is_refused_is_tried_again_and_a_fault_is_translated(opened, aside):
    tries = []

    def refused(call):
        tries.append(call)
        if len(tries) < 3:
            raise sqlite3.OperationalError("database is locked")
        return call()

    guard_of(opened).aside = refused
    with opened.atomic():
        insert(opened, 1_000)
    assert len(tries) == 3

    def full(call):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    guard_of(opened).aside = full
    with pytest.raises(DatabaseUnavailable), opened.atomic():
        insert(opened, 1_000)
    assert not opened._state.has_turn
    assert opened.execute_sql("SELECT COUNT(*) FROM t").fetchone() == (1_000,)
