"""The queue's file: nothing waits inside SQLite, and a queue that cannot be opened is told in one line."""

import sqlite3
from contextlib import closing

import pytest

from notiway.ops import jobs
from notiway.store.engine import turns
from notiway.values.config import Config
from notiway.values.errors import ConfigError


@pytest.fixture
def huey(tmp_path):
    huey = jobs.build_huey(Config(jobs_url=f"sqlite:///{tmp_path}/jobs.db"))
    huey.enqueue(huey.task()(lambda: None).s())
    yield huey
    huey.storage.close()


@pytest.fixture
def other(huey):
    """Another process that holds the queue's write lock."""
    with closing(sqlite3.connect(huey.storage.filename, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield other


@pytest.mark.parametrize(("pragma", "value"), [("busy_timeout", 0), ("journal_mode", "wal"), ("synchronous", 1)])
def test_the_file_is_opened_so_that_nothing_waits_inside_sqlite(huey, pragma, value):
    assert huey.storage.sql(f"PRAGMA {pragma}", results=True) == [(value,)]


def test_a_task_waits_for_the_writer_of_another_process(huey, other, monkeypatch):
    refused = []

    def pause(seconds):
        refused.append(seconds)
        if len(refused) == 3:
            other.execute("COMMIT")

    monkeypatch.setattr(turns, "pause", pause)
    huey.storage.enqueue(b"a task")
    assert refused == list(turns.LOCK_RETRY_SECONDS[:3])
    assert huey.storage.queue_size() == 2


def test_looking_at_the_queue_needs_no_lock(huey, other):
    assert huey.storage.queue_size() == 1


def test_waiting_for_another_process_ends(huey, other, monkeypatch):
    monkeypatch.setattr(turns, "LOCK_WAIT_SECONDS", 0.05)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        huey.storage.enqueue(b"a task")
    other.execute("ROLLBACK")
    assert huey.storage.dequeue() is not None


def test_a_queue_that_cannot_be_opened_is_told_with_what_to_set(tmp_path):
    (tmp_path / "jobs.db").write_text("no database at all " * 99)
    with pytest.raises(ConfigError, match="NOTIWAY_JOBS_URL"):
        jobs.build_huey(Config(jobs_url=f"sqlite:///{tmp_path}/jobs.db"))


def test_a_folder_that_cannot_be_made_is_told_with_what_to_set(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="NOTIWAY_JOBS_URL"):
        jobs.build_huey(Config(jobs_url=f"sqlite:///{tmp_path}/file/jobs.db"))


def test_a_queue_in_order_is_in_no_trouble(huey):
    assert huey.storage.trouble() is None


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_file_that_is_no_longer_the_one_that_is_open_is_noticed(huey, tmp_path, how):
    path = tmp_path / "jobs.db"
    content = path.read_bytes()
    path.unlink()
    if how == "replaced":
        path.write_bytes(content)
    assert "restart" in huey.storage.trouble()


def test_a_short_lock_is_no_trouble_one_that_outlasts_every_wait_is(huey, other, monkeypatch):
    assert huey.storage.trouble() is None
    monkeypatch.setattr(turns, "LOCK_WAIT_SECONDS", 0.02)
    with pytest.raises(sqlite3.OperationalError):
        huey.storage.enqueue(b"a task")
    assert "locked" in huey.storage.trouble()
    other.execute("COMMIT")
    huey.storage.enqueue(b"a task")
    assert huey.storage.trouble() is None


def test_a_damaged_queue_is_named(huey, tmp_path):
    huey.storage.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    path = tmp_path / "jobs.db"
    content = path.read_bytes()
    with path.open("r+b") as file:
        file.write(b"\xff" * len(content))
    huey.storage.close()
    assert "not a database" in huey.storage.trouble()
