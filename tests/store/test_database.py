"""Database: transactions that take turns, and bells that ring after the outermost commit only."""

import sqlite3
import subprocess
import sys
import threading

import peewee
import pytest

from notiway.store import database, schema
from notiway.store.database import open_database
from notiway.store.engine.faults import RefusedValue
from notiway.store.engine.guard import guard_of
from notiway.values.errors import Unavailable

WRITER = """
import sys
from notiway.store.database import open_database, use_database
from notiway.values.draft import Draft
from notiway.store import writing
opened = open_database(sys.argv[1])
use_database(opened)
for number in range(int(sys.argv[2])):
    with opened.atomic():
        row, _ = writing.insert(Draft("from another process"), "user:1")
        writing.deliver_to([row.id], ["1"])
"""


PATCHED_TOO_LATE = """
from notiway.store.database import check_greenlets
check_greenlets()
import gevent.monkey
gevent.monkey.patch_all()
check_greenlets()
"""


class Undo(Exception):
    """Raised to roll back."""


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/deep/er/test.db"


@pytest.fixture
def opened(url):
    opened = open_database(url)
    schema.migrate(opened)
    opened.execute_sql("CREATE TABLE note (text TEXT)")
    yield opened
    opened.close_all()


def notes(opened):
    return [row[0] for row in opened.execute_sql("SELECT text FROM note").fetchall()]


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 1), ("busy_timeout", 0)]
)
def test_sqlite_is_opened_with_sensible_pragmas(opened, pragma, value):
    assert opened.execute_sql(f"PRAGMA {pragma}").fetchone()[0] == value


def test_a_callback_runs_after_the_outermost_commit_only(opened):
    rung = []
    with opened.atomic():
        with opened.atomic():
            with opened.atomic():
                opened.after_commit(lambda: rung.append(opened.in_transaction()))
            assert rung == []
        assert rung == []
    assert rung == [False]


def test_without_a_transaction_a_callback_runs_at_once(opened):
    rung = []
    opened.after_commit(lambda: rung.append(1))
    assert rung == [1]


def test_a_rollback_of_the_outermost_transaction_forgets_every_callback(opened):
    rung = []
    with pytest.raises(Undo), opened.atomic():
        opened.after_commit(lambda: rung.append("outer"))
        with opened.atomic():
            opened.after_commit(lambda: rung.append("inner"))
        raise Undo
    with opened.atomic():
        pass
    assert rung == []


def test_a_rollback_of_a_savepoint_forgets_its_callbacks_and_those_inside_it_only(opened):
    rung = []
    with opened.atomic():
        opened.after_commit(lambda: rung.append("before"))
        with pytest.raises(Undo), opened.atomic():
            opened.after_commit(lambda: rung.append("in the savepoint"))
            with opened.atomic():
                opened.after_commit(lambda: rung.append("in a savepoint inside"))
            raise Undo
        opened.after_commit(lambda: rung.append("after"))
    assert rung == ["before", "after"]


def test_a_savepoint_that_is_rolled_back_by_hand_keeps_what_it_committed_before(opened):
    rung = []
    with opened.atomic(), opened.atomic() as savepoint:
        opened.execute_sql("INSERT INTO note VALUES ('kept')")
        opened.after_commit(lambda: rung.append("kept"))
        savepoint.commit()
        opened.execute_sql("INSERT INTO note VALUES ('undone')")
        opened.after_commit(lambda: rung.append("undone"))
        savepoint.rollback()
        opened.execute_sql("INSERT INTO note VALUES ('again')")
        opened.after_commit(lambda: rung.append("again"))
    assert notes(opened) == ["kept", "again"]
    assert rung == ["kept", "again"]


def test_a_transaction_takes_the_write_lock_at_its_start(opened, url):
    with opened.atomic():
        second = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=0)
        try:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                second.execute("BEGIN IMMEDIATE")
        finally:
            second.close()


def test_two_processes_and_four_threads_write_at_once_and_lose_nothing(opened, url):
    each = 25
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, url, str(each)], stderr=subprocess.PIPE) for _ in range(2)
    ]
    faults = []

    def write():
        try:
            with opened.connection_context():
                for number in range(each):
                    with opened.atomic():
                        opened.execute_sql("INSERT INTO note VALUES (?)", (str(number),))
                    opened.execute_sql("INSERT INTO note VALUES (?)", (str(number),))
        except peewee.PeeweeException as error:
            faults.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in processes:
        assert process.communicate(timeout=60)[1] == b""
        assert process.returncode == 0
    assert faults == []
    assert len(notes(opened)) == 4 * 2 * each
    ids = [row[0] for row in opened.execute_sql("SELECT id FROM notiway_notification ORDER BY rowid").fetchall()]
    assert len(ids) == 2 * each
    assert ids == sorted(ids), "ids are commit-ordered on SQLite"
    assert opened.execute_sql("SELECT COUNT(*) FROM notiway_inbox_item").fetchone()[0] == 2 * each


def test_a_pool_that_is_used_up_refuses_after_a_wait_and_recovers(url, monkeypatch):
    monkeypatch.setattr(database, "POOL_WAIT_SECONDS", 0.1)
    small = open_database(url, pool=1)
    release, taken, refused = threading.Event(), threading.Event(), []

    def hold():
        with small.connection_context():
            taken.set()
            release.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(10)
    try:
        small.connect()
    except Unavailable as error:
        refused.append(error)
    release.set()
    thread.join()
    assert len(refused) == 1
    small.connect()
    assert small.execute_sql("SELECT 1").fetchone() == (1,)
    small.close_all()


def test_database_time_is_measured(opened):
    from notiway import metrics

    before = metrics.DATABASE_QUERIES._value.get()
    opened.execute_sql("SELECT 1")
    assert metrics.DATABASE_QUERIES._value.get() == before + 1
    assert metrics.DATABASE_SECONDS._value.get() > 0


def test_a_foreign_key_is_held(opened):
    with pytest.raises(peewee.IntegrityError):
        opened.execute_sql("INSERT INTO notiway_inbox_item (user_id, notification_id, created_at) VALUES ('1', 'x', 0)")


def test_a_host_applications_own_database_gets_the_same_rules_once(tmp_path):
    own = peewee.SqliteDatabase(tmp_path / "own.db")
    assert database.adopt(own) is own
    execute = own.execute_sql
    assert database.adopt(own) is own
    assert own.execute_sql == execute, "a second call changes nothing"
    assert own.execute_sql("PRAGMA busy_timeout").fetchone() == (0,)
    rung = []
    with own.atomic(), pytest.raises(Undo), own.atomic():
        own.after_commit(lambda: rung.append(1))
        raise Undo
    assert rung == []
    own.close()


def test_a_host_applications_proxy_stands_for_the_database_behind_it(tmp_path):
    own = peewee.SqliteDatabase(tmp_path / "own.db")
    proxy = peewee.DatabaseProxy()
    proxy.initialize(own)
    assert database.adopt(proxy) is own


def test_a_process_whose_greenlets_would_share_one_connection_is_refused():
    done = subprocess.run([sys.executable, "-c", PATCHED_TOO_LATE], capture_output=True, text=True, timeout=60)
    assert done.stderr.count("Traceback") == 1
    assert "line 6, in <module>" in done.stderr
    assert "ConfigError" in done.stderr
    assert "--preload" in done.stderr


@pytest.mark.parametrize(("query", "seconds"), [("", 5), ("?connect_timeout=30", 30)])
def test_a_database_server_that_does_not_answer_is_given_up_soon(query, seconds):
    opened = open_database(f"postgresql://nobody@127.0.0.1:1/none{query}")
    assert int(opened.connect_params["connect_timeout"]) == seconds


def test_many_rows_are_one_call_and_a_fault_of_it_has_its_reason(opened):
    from notiway import metrics

    opened.execute_sql("CREATE TABLE pair (one TEXT PRIMARY KEY, other INTEGER)")
    before = metrics.DATABASE_QUERIES._value.get()
    rules = guard_of(opened)
    with opened.atomic():
        rules.execute_many("INSERT INTO pair VALUES (?, ?)", [(str(number), number) for number in range(50)])
    assert metrics.DATABASE_QUERIES._value.get() == before + 1
    assert opened.execute_sql("SELECT COUNT(*) FROM pair").fetchone() == (50,)
    with pytest.raises(peewee.IntegrityError), opened.atomic():
        rules.execute_many("INSERT INTO pair VALUES (?, ?)", [("new", 1), ("1", 1)])
    with pytest.raises(RefusedValue), opened.atomic():
        rules.execute_many("INSERT INTO pair VALUES (?, ?)", [("large", 2**70)])
    assert opened.execute_sql("SELECT COUNT(*) FROM pair").fetchone() == (50,)
