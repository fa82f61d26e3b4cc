"""The guard around a database: nothing waits inside SQLite, writers take turns, and a fault keeps its reason."""

import json
import sqlite3
import subprocess
import sys
import threading
from contextlib import contextmanager

import peewee
import pytest
from servers import wait_until

from notiway.store.database import adopt, open_database
from notiway.store.engine import turns
from notiway.store.engine.guard import guard_of
from notiway.values.errors import Unavailable

WAITERS, POOL = 20, 5
# Prints a line when every writer was refused or waits, reads, and then says what happened meanwhile.
WAITING_UNDER_GEVENT = """
import gevent.monkey
gevent.monkey.patch_all()
import json, sys, time
import gevent
from notiway.store.database import open_database

opened = open_database(sys.argv[1], pool=int(sys.argv[3]))
attempts, ticks, asked, order, gaps = [], [0], [], [], []

def traced(connect):
    def connect_and_trace():
        connection = connect()
        def note(sql):
            if sql.startswith("BEGIN"):
                attempts.append((id(gevent.getcurrent()), ticks[0]))
        connection.set_trace_callback(note)
        return connection
    return connect_and_trace

opened._connect = traced(opened._connect)

def tick():
    last = time.perf_counter()
    while True:
        gevent.sleep(0.001)
        now = time.perf_counter()
        gaps.append(now - last)
        last = now
        ticks[0] += 1

def write(number):
    with opened.connection_context():
        opened.execute_sql("SELECT 1")  # as a request that has found its user
        asked.append(number)
        with opened.atomic():
            opened.execute_sql("INSERT INTO note VALUES (?)", (number,))
        order.append(number)

ticker = gevent.spawn(tick)
writers = [gevent.spawn(write, number) for number in range(int(sys.argv[2]))]
while len(attempts) < 50:
    gevent.sleep(0.001)
with opened.connection_context():
    read = opened.execute_sql("SELECT COUNT(*) FROM note").fetchone()[0]
seen = list(attempts)
print("waiting", flush=True)
gevent.joinall(writers, raise_error=True)
print(json.dumps({
    "read": read,
    "in order": order == asked,
    "written": len(order),
    "pollers": len({who for who, _ in seen}),
    "same tick": max(map([tick for _, tick in seen].count, {tick for _, tick in seen})),
    "longest": max(gaps),
}))
"""


def test_twenty_writers_that_wait_for_another_process_stop_neither_the_loop_nor_a_reader(tmp_path):
    path = tmp_path / "waited.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode = wal")
    other.execute("CREATE TABLE note (number INTEGER)")
    other.execute("BEGIN IMMEDIATE")
    command = [sys.executable, "-c", WAITING_UNDER_GEVENT, f"sqlite:///{path}", str(WAITERS), str(POOL)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "waiting\n", process.communicate()[1]
        other.execute("COMMIT")
        said, faults = process.communicate(timeout=60)
    finally:
        other.close()
        process.kill()
        process.communicate()
    assert process.returncode == 0, faults
    seen = json.loads(said)
    assert seen["pollers"] == 1, "one writer asks for the lock, the others stand in line behind it"
    assert seen["same tick"] == 1, "between two attempts the loop goes round"
    assert seen["read"] == 0, "a pool that is smaller than the line leaves a connection to the reader"
    assert seen["written"] == WAITERS
    assert seen["in order"], "first come, first served"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "test.db"


@pytest.fixture
def opened(path):
    opened = open_database(f"sqlite:///{path}", pool=3)
    opened.execute_sql("CREATE TABLE note (text TEXT)")
    opened.close()
    yield opened
    opened.close_all()


@pytest.fixture
def other(opened, path):
    """Another process's connection."""
    other = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    yield other
    other.close()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(turns, "LOCK_WAIT_SECONDS", 0.05)


def notes(opened):
    return [row[0] for row in opened.execute_sql("SELECT text FROM note").fetchall()]


def turns_of(opened):
    return guard_of(opened).turns


@contextmanager
def writing(opened):
    """A transaction of another thread of this process, for as long as the block lasts."""
    begun, end = threading.Event(), threading.Event()

    def hold():
        with opened.connection_context(), opened.atomic():
            begun.set()
            end.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert begun.wait(30)
    try:
        yield
    finally:
        end.set()
        thread.join(30)


def note_in_transaction(opened, text):
    with opened.atomic():
        opened.execute_sql("INSERT INTO note VALUES (?)", (text,))


def note_at_once(opened, text):
    opened.execute_sql("INSERT INTO note VALUES (?)", (text,))


WAYS = pytest.mark.parametrize("write", [note_in_transaction, note_at_once])


@WAYS
def test_a_writer_waits_for_one_in_another_process(opened, other, monkeypatch, write):
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO note VALUES ('first')")
    refused = []

    def pause(seconds):
        refused.append(seconds)
        if len(refused) == 3:
            other.execute("COMMIT")

    monkeypatch.setattr(turns, "pause", pause)
    with opened.connection_context():
        write(opened, "second")
        assert notes(opened) == ["first", "second"]
    assert refused == list(turns.LOCK_RETRY_SECONDS[:3])


@WAYS
def test_waiting_for_another_process_ends(opened, other, impatient, write):
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(peewee.OperationalError, match="locked"):
        write(opened, "never")
    other.execute("ROLLBACK")
    write(opened, "the next one is not kept waiting by the one that gave up")
    assert len(notes(opened)) == 1


@WAYS
def test_waiting_in_line_ends(opened, impatient, write):
    with writing(opened), pytest.raises(peewee.OperationalError, match="locked"):
        write(opened, "never")
    write(opened, "later")
    assert notes(opened) == ["later"]


def test_a_writer_in_line_gives_its_connection_to_a_reader(opened):
    written = []

    def write():
        with opened.connection_context():
            opened.execute_sql("SELECT 1")
            with opened.connection_context():  # blocks lie inside each other, as they do in a request
                note_in_transaction(opened, "waited")
            written.append(opened.is_closed())

    with writing(opened):
        threads = [threading.Thread(target=write) for _ in range(6)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(turns_of(opened)) == len(threads))
        with opened.connection_context():
            assert notes(opened) == []
    for thread in threads:
        thread.join(30)
    assert written == [False] * 6
    with opened.connection_context():
        assert notes(opened) == ["waited"] * 6
    assert opened._in_use == {}


def test_a_writer_that_finds_no_connection_after_its_wait_lets_the_next_one_write(opened, monkeypatch):
    monkeypatch.setattr(opened, "_wait_timeout", 0.05)
    refused = []

    def write():
        try:
            with opened.connection_context():
                note_in_transaction(opened, "never")
        except Unavailable as error:
            refused.append(error)

    with writing(opened):
        thread = threading.Thread(target=write)
        thread.start()
        wait_until(lambda: len(turns_of(opened)) == 1)
        taken = [opened._connect() for _ in range(2)]
        borrow = opened.connect
        monkeypatch.setattr(opened, "connect", lambda *args: taken.append(opened._connect()) or borrow(*args))
    thread.join(30)
    monkeypatch.setattr(opened, "connect", borrow)
    for connection in taken:
        opened._close(connection)
    assert len(refused) == 1
    note_in_transaction(opened, "next")
    assert notes(opened) == ["next"]


def test_a_transaction_that_only_reads_can_do_without_the_lock(opened, other):
    other.execute("BEGIN IMMEDIATE")
    with opened.atomic("DEFERRED"):
        assert notes(opened) == []


def test_a_reader_does_not_wait_while_another_thread_writes(opened):
    with writing(opened), opened.atomic("DEFERRED"):
        assert notes(opened) == []


def test_a_connection_waits_for_a_database_that_is_locked_even_to_readers(opened, other, path, monkeypatch):
    opened.close_all()
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("INSERT INTO note VALUES ('alone')")
    tries = []

    def pause(seconds):
        tries.append(seconds)
        other.close()

    monkeypatch.setattr(turns, "pause", pause)
    late = open_database(f"sqlite:///{path}")
    late.connect()
    assert notes(late) == ["alone"]
    assert tries
    late.close_all()


def test_a_commit_waits_for_the_readers_of_a_database_without_wal(tmp_path, monkeypatch):
    own = adopt(peewee.SqliteDatabase(tmp_path / "own.db"))
    own.execute_sql("CREATE TABLE note (text TEXT)")
    note_at_once(own, "first")
    reader = sqlite3.connect(tmp_path / "own.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM note").fetchall()
    tries = []

    def pause(seconds):
        tries.append(seconds)
        reader.execute("COMMIT")

    monkeypatch.setattr(turns, "pause", pause)
    note_in_transaction(own, "second")
    assert tries
    assert notes(own) == ["first", "second"]
    reader.close()
    own.close()


def test_a_commit_that_readers_hold_back_for_too_long_is_rolled_back_and_the_next_one_is_not_kept_waiting(
    tmp_path, impatient
):
    own = adopt(peewee.SqliteDatabase(tmp_path / "own.db"))
    own.execute_sql("CREATE TABLE note (text TEXT)")
    reader = sqlite3.connect(tmp_path / "own.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM note").fetchall()
    with pytest.raises(peewee.OperationalError, match="locked"):
        note_in_transaction(own, "never")
    reader.close()
    note_in_transaction(own, "later")
    assert notes(own) == ["later"]
    own.close()


def test_a_connection_that_is_closed_inside_a_transaction_made_by_hand_ends_the_turn(opened):
    opened.connect()
    opened.begin()
    opened.close()
    note_in_transaction(opened, "later")
    assert notes(opened) == ["later"]


def test_a_transaction_begun_by_hand_inside_another_is_refused_at_once(opened):
    with opened.atomic():
        with pytest.raises(peewee.OperationalError, match="within a transaction"):
            opened.begin()
        opened.execute_sql("INSERT INTO note VALUES ('kept')")
    assert notes(opened) == ["kept"]


def test_a_fault_of_one_callback_after_the_commit_silences_no_other_and_is_not_masked(opened, caplog):
    rung = []

    def fail():
        raise ZeroDivisionError("the first")

    def fail_again():
        raise KeyError("the second")

    with pytest.raises(ZeroDivisionError, match="the first"), opened.atomic():
        opened.execute_sql("INSERT INTO note VALUES ('kept')")
        opened.after_commit(fail)
        opened.after_commit(lambda: rung.append(1))
        opened.after_commit(fail_again)
        opened.after_commit(lambda: rung.append(2))
    assert notes(opened) == ["kept"]
    assert rung == [1, 2]
    assert "the second" in caplog.text
    assert caplog.text.count("what was committed stays") == 2
    note_in_transaction(opened, "later")
    assert rung == [1, 2]


def test_a_callback_may_write_in_a_transaction_of_its_own(opened):
    with opened.atomic():
        opened.after_commit(lambda: note_in_transaction(opened, "after"))
        note_at_once(opened, "before")
    assert notes(opened) == ["before", "after"]
