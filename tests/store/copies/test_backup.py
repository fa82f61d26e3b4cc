"""A backup is one whole file of one moment, whoever writes meanwhile; restored, no client goes on with a hole."""

import sqlite3
import threading
from pathlib import Path

import pytest
from fresh import fresh_database

from notiway.store import writing
from notiway.store.copies import backup
from notiway.store.database import db, open_database, use_database
from notiway.store.log import eras, resuming
from notiway.store.tables import Notification
from notiway.values.draft import Draft
from notiway.values.errors import WrongInput


@pytest.fixture
def database(tmp_path):
    with fresh_database(tmp_path) as opened:
        yield opened


def send(title, user="ada"):
    with db.atomic():
        row, _ = writing.insert(Draft(title), f"user:{user}")
        writing.deliver_to([row.id], [user])
    return row.id


@pytest.fixture
def restored(tmp_path, database):
    """Opens a backup in the place of the database that it was made of."""
    opened = []

    def restore(path):
        database.close_all()
        opened.append(open_database(f"sqlite:///{path}"))
        use_database(opened[-1])
        return opened[-1]

    yield restore
    for each in opened:
        each.close_all()
    use_database(database)


def titles(path):
    with sqlite3.connect(path) as copy:
        found = [row[0] for row in copy.execute("SELECT title FROM notiway_notification ORDER BY id")]
    copy.close()
    return found


def test_it_is_one_file_for_its_owner_only_and_can_be_opened(database, tmp_path, restored):
    send("Hi")
    path = tmp_path / "copy.db"
    assert backup.back_up(database, path) == path.stat().st_size
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.glob("copy.db*")] == ["copy.db"]
    restored(path)
    assert [item.title for item in resuming.page("ada", resuming.beginning(), 10).items] == ["Hi"]
    assert send("After") > ""


def test_others_write_at_every_step_and_it_is_of_the_moment_in_which_it_began(database, tmp_path, monkeypatch):
    monkeypatch.setattr(backup, "STEP_PAGES", 2)
    for number in range(50):
        send(f"before {number}" + "x" * 150)
    steps, begun = [], threading.Event()

    def write(left, total):
        steps.append((left, total))
        begun.set()
        if len(steps) < 60:
            worker = threading.Thread(target=lambda: (send(f"meanwhile {len(steps)}"), db.close()))
            worker.start()
            worker.join(30)

    backup.back_up(database, tmp_path / "copy.db", write)
    assert len(steps) > 10
    assert [total for _, total in steps] == [steps[0][1]] * len(steps), "it never began anew"
    found = titles(tmp_path / "copy.db")
    assert len(found) == 50
    assert all(each.startswith("before") for each in found)
    assert Notification.select().count() > 60, "and nobody waited for it"


@pytest.mark.parametrize("taken", ["copy.db", "copy.db.part"])
def test_a_file_that_is_there_stays(database, tmp_path, taken):
    (tmp_path / taken).write_text("precious")
    with pytest.raises(WrongInput, match="there already"):
        backup.back_up(database, tmp_path / "copy.db")
    assert (tmp_path / taken).read_text() == "precious"


def test_what_is_broken_off_leaves_nothing(database, tmp_path):
    def full(left, total):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        backup.back_up(database, tmp_path / "copy.db", full)
    assert list(tmp_path.glob("copy*")) == []


def test_a_damaged_database_makes_no_backup(database, tmp_path):
    for number in range(200):
        send(f"{number}" + "x" * 150)
    database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close_all()
    with Path(database.database).open("r+b") as file:
        size = file.seek(0, 2)
        for page in range(10, size // 4096):
            file.seek(page * 4096)
            file.write(b"\0" * 100)
    with pytest.raises(WrongInput):
        backup.back_up(database, tmp_path / "copy.db")
    assert list(tmp_path.glob("copy*")) == []


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(WrongInput, match="SQLite"):
        backup.back_up(open_database("sqlite:///:memory:"), tmp_path / "copy.db")
    with pytest.raises(WrongInput, match="PostgreSQL"):
        backup.back_up(open_database("postgresql://nobody@127.0.0.1:1/none"), tmp_path / "copy.db")


def test_a_client_that_is_ahead_of_the_restored_log_misses_nothing_that_is_in_it(database, tmp_path, restored):
    """Its cursor names a position that the restored database gives to something else."""
    send("in the backup")
    backup.back_up(database, tmp_path / "copy.db")
    for number in range(5):
        send(f"lost {number}")
    ahead = resuming.page("ada", resuming.beginning(), 10).cursor.as_text()
    first = eras.current()
    restored(tmp_path / "copy.db")
    assert eras.current() != first
    for number in range(9):  # the same positions as of those that were lost, and more
        send(f"new {number}")
    page = resuming.page("ada", resuming.since(ahead), 50)
    assert [item.title for item in page.items if item.title.startswith("new")] == [f"new {n}" for n in range(9)]
    again = resuming.page("ada", resuming.since(page.cursor.as_text()), 50)
    assert again.items == [], "and from here on it is exact"


def test_each_restore_of_the_same_backup_is_another_future(database, tmp_path, restored):
    send("in the backup")
    backup.back_up(database, tmp_path / "copy.db")
    seen = {eras.current()}
    for number in range(2):
        path = tmp_path / f"restored-{number}.db"
        path.write_bytes((tmp_path / "copy.db").read_bytes())
        restored(path)
        seen.add(eras.current())
    assert len(seen) == 3
