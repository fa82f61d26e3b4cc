"""Faults: what means that the database is unavailable for now, with the reason and the remedy for the log."""

import shutil
import sqlite3

import peewee
import psycopg
import pytest
from fresh import fresh_database
from playhouse.pool import MaxConnectionsExceeded

from notiway.store.database import open_database
from notiway.store.engine import faults, turns
from notiway.store.tables import Task
from notiway.values.errors import NotiwayError, Unavailable, WrongInput


def from_sqlite(kind, text, code):
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return kind(error, text)


def from_server(kind, error):
    return kind(error, str(error))


UNAVAILABLE = {
    "locked": (from_sqlite(peewee.OperationalError, "database is locked", 5), "lock"),
    "locked by a snapshot": (from_sqlite(peewee.OperationalError, "database is locked", 517), "lock"),
    "full": (from_sqlite(peewee.OperationalError, "database or disk is full", 13), "make room"),
    "read-only": (from_sqlite(peewee.OperationalError, "attempt to write a readonly database", 8), "write"),
    "broken disk": (from_sqlite(peewee.OperationalError, "disk I/O error", 10), "disk"),
    "gone": (from_sqlite(peewee.OperationalError, "unable to open database file", 14), "folder"),
    "damaged": (from_sqlite(peewee.DatabaseError, "database disk image is malformed", 11), "backup"),
    "no database": (from_sqlite(peewee.DatabaseError, "file is not a database", 26), "backup"),
    "damaged, while rows are fetched": (from_sqlite(lambda error, _: error, "malformed", 11), "backup"),
    "no server": (from_server(peewee.OperationalError, psycopg.OperationalError("refused")), "server"),
    "restarted server": (from_server(peewee.InterfaceError, psycopg.InterfaceError("closed")), "server"),
    "deadlock": (from_server(peewee.OperationalError, psycopg.errors.DeadlockDetected("deadlock")), "another order"),
    "standby": (from_server(peewee.InternalError, psycopg.errors.ReadOnlySqlTransaction("read-only")), "server"),
    "no free connection": (MaxConnectionsExceeded("timed out"), "NOTIWAY_DATABASE_POOL"),
}
OTHERS = [
    from_sqlite(peewee.OperationalError, "no such table: notiway_user", 1),
    from_sqlite(peewee.IntegrityError, "UNIQUE constraint failed", 2067),
    from_server(peewee.ProgrammingError, psycopg.errors.UndefinedTable("no such table")),
    from_server(peewee.InternalError, psycopg.errors.InFailedSqlTransaction("aborted")),
    peewee.OperationalError("Connection already opened."),
    peewee.InterfaceError("Error, database must be initialized before opening a connection."),
    peewee.DataError("too long"),
    ValueError("no number"),
]


@pytest.mark.parametrize(("error", "word"), UNAVAILABLE.values(), ids=UNAVAILABLE)
def test_a_database_that_cannot_answer_now_is_unavailable_with_reason_and_remedy(error, word):
    found = faults.unavailable(error)
    assert isinstance(found, Unavailable)
    assert isinstance(found, peewee.OperationalError), "whoever catches Peewee's error still does"
    assert found.reason.startswith(str(error))
    assert word in found.reason
    assert str(error) not in found.message.replace("database is locked", ""), "a client learns nothing of the inside"
    assert (found.code, found.status, found.retry_after) == ("Unavailable", 503, 5)


@pytest.mark.parametrize("error", OTHERS, ids=str)
def test_a_fault_of_the_program_is_not_called_unavailable(error):
    assert faults.unavailable(error) is None


def test_what_is_known_to_be_unavailable_stays_as_it_is():
    found = faults.unavailable(MaxConnectionsExceeded())
    assert faults.unavailable(found) is found


@pytest.fixture
def opened(tmp_path):
    opened = open_database(f"sqlite:///{tmp_path}/test.db", pool=2)
    opened.execute_sql("CREATE TABLE note (text TEXT)")
    yield opened
    opened.close_all()


def fill(opened):
    opened.execute_sql("INSERT INTO note VALUES (?)", ("x" * 100_000,))


@pytest.mark.parametrize("in_transaction", [True, False])
def test_a_full_disk_is_told_with_its_reason_and_leaves_nothing_half_done(opened, in_transaction):
    pages = opened.execute_sql("PRAGMA page_count").fetchone()[0]
    opened.execute_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Unavailable) as caught:
        if in_transaction:
            with opened.atomic():
                opened.execute_sql("INSERT INTO note VALUES ('half')")
                fill(opened)
        else:
            fill(opened)
    assert caught.value.reason.startswith("database or disk is full")
    assert isinstance(caught.value.__cause__, peewee.OperationalError)
    opened.execute_sql(f"PRAGMA max_page_count = {pages + 1000}")
    assert opened.execute_sql("SELECT COUNT(*) FROM note").fetchone() == (0,)
    with opened.atomic():
        fill(opened)


def test_a_transaction_that_sqlite_ended_by_itself_keeps_its_reason(opened):
    with pytest.raises(Unavailable) as caught, opened.atomic():
        opened.execute_sql("ROLLBACK")  # as SQLite does when the disk is full
        raise faults.unavailable(MaxConnectionsExceeded("the reason"))
    assert caught.value.reason.startswith("the reason")
    with opened.atomic():
        fill(opened)


def test_a_transaction_whose_connection_is_gone_keeps_its_reason(opened):
    with pytest.raises(ZeroDivisionError), opened.atomic():
        opened.connection().close()
        raise ZeroDivisionError
    assert opened.close()
    with opened.atomic():
        fill(opened)


def test_a_database_file_that_is_damaged_says_so(opened, tmp_path):
    for _ in range(50):
        fill(opened)
    opened.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.close_all()
    path = tmp_path / "test.db"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(Unavailable) as caught:
        opened.execute_sql("SELECT COUNT(*) FROM note").fetchall()
    assert "restore" in caught.value.reason


def test_a_read_only_database_is_unavailable_to_writers_only(opened):
    opened.execute_sql("PRAGMA query_only = 1")
    with pytest.raises(Unavailable) as caught:
        fill(opened)
    assert "readonly" in caught.value.reason
    assert opened.execute_sql("SELECT COUNT(*) FROM note").fetchone() == (0,)


def test_a_lock_that_does_not_end_is_unavailable(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(turns, "LOCK_WAIT_SECONDS", 0.02)
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable), opened.atomic():
        pass
    with pytest.raises(Unavailable):
        fill(opened)
    other.close()


def test_a_pool_without_a_free_connection_is_unavailable(opened, monkeypatch):
    monkeypatch.setattr(opened, "_wait_timeout", 0.02)
    opened.close()
    taken = [opened._connect() for _ in range(2)]
    for ask in (opened.connect, lambda: opened.execute_sql("SELECT 1"), lambda: opened.atomic().__enter__()):
        with pytest.raises(Unavailable) as caught:
            ask()
        assert "NOTIWAY_DATABASE_POOL" in caught.value.reason
    for connection in taken:
        opened._close(connection)
    with opened.atomic():
        fill(opened)


def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path):
    opened = open_database(f"sqlite:///{tmp_path}/folder/test.db")
    shutil.rmtree(tmp_path / "folder")
    with pytest.raises(Unavailable) as caught:
        opened.connect()
    assert "folder" in caught.value.reason


def test_a_server_that_is_away_is_unavailable():
    opened = open_database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(Unavailable) as caught, opened.atomic():
        pass
    assert "server" in caught.value.reason
    assert isinstance(caught.value, NotiwayError)


@pytest.mark.parametrize("value", ["\ud800", 2**63, -(2**63) - 1])
def test_a_value_that_no_database_takes_is_wrong_input(place, value):
    with fresh_database(place) as opened, pytest.raises(WrongInput, match="cannot be stored") as caught:
        column = "id" if isinstance(value, str) else "updated_at"
        opened.execute_sql(f"INSERT INTO notiway_task ({column}) VALUES ({opened.param})", (value,))
    assert isinstance(caught.value, peewee.DataError), "whoever catches Peewee's error still does"
    assert caught.value.status == 400


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("column", "value"), [("id", "a\0b"), ("id", "x" * 201), ("updated_at", 2**63), ("status", "x" * 21)]
)
def test_nor_does_postgresql_make_more_of_it(postgres, column, value):
    url = postgres.fresh()
    row = {"id": "t", "user_id": "u", "audience": "user:u", "name": "n", "status": "s", "done": 1, "total": 1}
    with fresh_database(url) as opened:
        with pytest.raises(WrongInput), opened.atomic():
            Task.insert(**row | {"message": "", column: value}).execute()
        assert Task.select().count() == 0, "and the connection serves the next one"
    postgres.give_back(url)


@pytest.mark.postgresql
def test_a_fault_of_a_statement_is_no_wrong_input(postgres):
    url = postgres.fresh()
    with fresh_database(url) as opened, pytest.raises(peewee.DataError) as caught:
        opened.execute_sql("SELECT 1 / 0")
    assert not isinstance(caught.value, WrongInput)
    postgres.give_back(url)
