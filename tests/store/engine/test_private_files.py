"""Files that hold inboxes and hashes are for their owner only."""

import stat

import pytest

from notiway.ops import jobs
from notiway.store import schema
from notiway.store.database import open_database
from notiway.store.engine import private_files
from notiway.values.config import Config


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_database_is_its_owners_with_all_that_lies_beside_it(tmp_path):
    opened = open_database(f"sqlite:///{tmp_path}/own/notiway.db")
    schema.migrate(opened)
    files = sorted((tmp_path / "own").iterdir())
    assert {path.name for path in files} >= {"notiway.db", "notiway.db-wal", "notiway.db-shm"}
    assert {path.name: oct(mode(path)) for path in files} == {path.name: "0o600" for path in files}
    opened.close_all()


def test_the_queue_is_its_owners_too(tmp_path):
    huey = jobs.build_huey(Config(database_url=f"sqlite:///{tmp_path}/notiway.db"))
    huey.storage.queue_size()
    assert mode(tmp_path / "jobs.db") == 0o600
    huey.storage.close()


def test_a_file_that_is_there_keeps_what_it_holds_and_the_mode_it_was_given(tmp_path):
    path = tmp_path / "notiway.db"
    path.write_bytes(b"kept")
    path.chmod(0o640)
    private_files.create(path)
    assert (path.read_bytes(), mode(path)) == (b"kept", 0o640)


def test_where_no_file_can_be_made_the_database_says_so_itself(tmp_path):
    private_files.create(tmp_path / "no" / "such" / "folder.db")


@pytest.mark.parametrize("url", ["sqlite:///:memory:", "sqlite://"])
def test_what_lives_in_memory_has_no_file(url):
    opened = open_database(url)
    opened.execute_sql("SELECT 1")
    opened.close_all()
