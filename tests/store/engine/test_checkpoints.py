"""Checkpoints: what was written comes into the file, and no commit of a web process does it."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from notiway.store import database
from notiway.store.engine import checkpoints
from notiway.store.engine.checkpoints import Checkpoints

ROOT = Path(__file__).resolve().parents[3]
# The least that a writer may do, then how much of it the main file holds, and who put it there.
UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()
import sys, threading, time
from pathlib import Path
from gevent.monkey import get_original
from notiway.store.database import open_database
from notiway.store.engine import checkpoints

ident = get_original("threading", "get_ident")
threads = []
copy = checkpoints.Checkpoints._copy
checkpoints.Checkpoints._copy = lambda self: (threads.append(ident()), copy(self))
opened = open_database(f"sqlite:///{sys.argv[1]}")
opened.execute_sql("CREATE TABLE t (x)")
with opened.atomic():
    opened.execute_sql("INSERT INTO t VALUES (zeroblob(8000000))")
until = time.monotonic() + 20
while Path(sys.argv[1]).stat().st_size < 8_000_000 and time.monotonic() < until:
    time.sleep(0.01)
print(opened.pragma("wal_autocheckpoint"), len(threads), threads != [ident()], Path(sys.argv[1]).stat().st_size)
"""


@pytest.fixture
def written(tmp_path):
    """A database whose log holds a table that its file does not."""
    path = tmp_path / "written.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (zeroblob(1000000))")
        yield path


def test_what_was_written_comes_into_the_file(written):
    before = written.stat().st_size
    Checkpoints(str(written), lambda work: work()).note()
    assert before < 100_000 < 1_000_000 < written.stat().st_size


def test_it_is_done_once_in_a_while_and_never_twice_at_once(written):
    now, works = [100.0], []
    kept = Checkpoints(str(written), works.append, clock=lambda: now[0])
    kept.note()
    now[0] += 10
    kept.note()
    assert len(works) == 1, "the first one has not ended"
    works.pop()()
    kept.note()
    works.pop()()
    kept.note()
    assert works == []
    now[0] += checkpoints.INTERVAL_SECONDS
    kept.note()
    assert len(works) == 1


def test_a_file_that_was_removed_is_not_made_again_and_the_next_one_is_tried(tmp_path):
    works = []
    kept = Checkpoints(str(tmp_path / "gone.db"), works.append, clock=iter(range(100)).__next__)
    for _ in range(2):
        kept.note()
        works.pop()()
    assert list(tmp_path.iterdir()) == []


def test_under_gevent_another_thread_does_it(tmp_path):
    command = [sys.executable, "-c", UNDER_GEVENT, str(tmp_path / "new.db")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ, check=False)
    assert done.returncode == 0, done.stderr
    limit, copies, elsewhere, size = done.stdout.split()
    assert (int(limit), elsewhere) == (checkpoints.AT_LATEST_PAGES, "True")
    assert int(copies) >= 1
    assert int(size) > 8_000_000


def test_a_command_leaves_it_to_sqlite(tmp_path):
    opened = database.open_database(f"sqlite:///{tmp_path}/plain.db")
    assert opened.notiway_guard.checkpoints is None
    assert opened.pragma("wal_autocheckpoint") == 1_000
    opened.close_all()
