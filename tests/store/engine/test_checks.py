"""Checks: what keeps the database from serving a request well, found without waiting, and the remedy."""

import errno
import sqlite3
import tempfile
from contextlib import closing

import peewee
import pytest
from fresh import fresh_database

from notiway.store.database import db, open_database, use_database
from notiway.store.engine import checks, turns
from notiway.store.engine.guard import guard_of


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fresh.db"


@pytest.fixture(autouse=True)
def opened(tmp_path):
    with fresh_database(tmp_path) as opened:
        opened.connect()
        yield opened


def only_trouble():
    (trouble,) = checks.troubles()
    return trouble


@pytest.fixture
def other(path):
    """Another process's connection."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        yield other


def test_a_good_database_is_in_no_trouble_and_nothing_is_changed(opened):
    before = opened.connection().total_changes
    assert checks.troubles() == []
    assert opened.connection().total_changes == before
    assert not opened.connection().in_transaction


def test_inside_a_transaction_of_the_host_it_only_reads(opened):
    with opened.atomic():
        assert checks.troubles() == []


def test_tables_that_are_missing_are_named_with_the_command(tmp_path):
    empty = open_database(f"sqlite:///{tmp_path}/empty.db")
    use_database(empty)
    assert "notiway migrate" in only_trouble().remedy
    empty.close_all()


@pytest.mark.parametrize("page", ["first", "later"])
def test_a_damaged_file_is_to_be_restored(opened, path, page):
    opened.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.close_all()
    content = path.read_bytes()
    path.write_bytes(b"\xff" * len(content) if page == "first" else content[:4096] + b"\xff" * (len(content) - 4096))
    assert "restore a backup" in only_trouble().remedy


def test_damage_that_no_request_meets_yet_is_found_by_looking_at_everything(opened, path):
    assert checks.damage() is None
    opened.execute_sql("CREATE TABLE aside (text TEXT)")
    for _ in range(200):
        opened.execute_sql("INSERT INTO aside VALUES (?)", ("x" * 2000,))
    opened.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.close_all()
    content = path.read_bytes()
    path.write_bytes(content[:-40_000] + b"\xff" * 40_000)
    assert checks.troubles() == []
    damage = checks.damage()
    assert damage is not None
    assert "restore a backup" in damage.remedy


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_file_that_is_no_longer_the_one_that_is_open_is_noticed(path, how):
    content = path.read_bytes()
    path.rename(path.with_name("moved.db"))
    if how == "replaced":
        path.write_bytes(content)
    assert any("restart" in trouble.remedy for trouble in checks.troubles())


def test_a_database_that_cannot_be_written_to_is_in_trouble_though_it_can_be_read(opened, monkeypatch):
    opened.execute_sql("PRAGMA query_only = 1")
    trouble = only_trouble()
    assert "written" in trouble.text
    assert "readonly" in trouble.remedy


def test_a_full_disk_is_in_trouble_though_nothing_was_written_yet(monkeypatch):
    class Full:
        def __init__(self, **options):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    trouble = only_trouble()
    assert "No space left" in trouble.remedy
    assert "make room" in trouble.remedy


def test_a_short_lock_of_another_process_is_no_trouble(other):
    other.execute("BEGIN IMMEDIATE")
    assert checks.troubles() == []
    assert checks.troubles() == []


def test_a_lock_that_no_writer_would_wait_for_is_one(opened, other, monkeypatch):
    other.execute("BEGIN IMMEDIATE")
    assert checks.troubles() == []
    guard_of(opened).refused_at -= turns.LOCK_WAIT_SECONDS + 1
    trouble = only_trouble()
    assert "locked" in trouble.text
    assert "long transaction" in trouble.remedy
    other.execute("COMMIT")
    assert checks.troubles() == []
    other.execute("BEGIN IMMEDIATE")
    assert checks.troubles() == [], "it is another lock"


def test_a_lock_that_a_writer_of_this_process_got_meanwhile_is_another_one(opened, other):
    other.execute("BEGIN IMMEDIATE")
    assert checks.troubles() == []
    guard_of(opened).refused_at -= turns.LOCK_WAIT_SECONDS + 1
    other.execute("COMMIT")
    with opened.atomic():
        pass
    other.execute("BEGIN IMMEDIATE")
    assert checks.troubles() == []


def test_a_pool_that_is_used_up_is_found_without_the_wait_of_a_request(opened, monkeypatch):
    monkeypatch.setattr(checks, "POOL_PATIENCE_SECONDS", 0.05)
    opened.close()
    taken = [opened._connect() for _ in range(opened._max_connections - len(opened._in_use))]
    assert "NOTIWAY_DATABASE_POOL" in only_trouble().remedy
    for connection in taken:
        opened._close(connection)
    assert checks.troubles() == []


@pytest.mark.parametrize("error", [peewee.OperationalError("no such host"), peewee.InterfaceError("gone")])
def test_whatever_else_it_answers_is_told(monkeypatch, error):
    def fail(*args):
        raise error

    monkeypatch.setattr(db.obj, "execute_sql", fail)
    trouble = only_trouble()
    assert str(error) in trouble.remedy
    assert "NOTIWAY_DATABASE_URL" in trouble.remedy
    assert str(error) not in trouble.text, "the text is for everybody"


def test_a_database_in_memory_has_no_file_to_look_at():
    memory = open_database("sqlite:///:memory:", pool=1)
    use_database(memory)
    assert [trouble.text for trouble in checks.troubles()] == ["the tables are not those of this version"]
    memory.close_all()
