"""The lock between processes: one is inside, the others wait, and a holder that is killed keeps nobody out."""

import signal
import stat
import subprocess
import sys

import pytest

from notiway.store.engine.faults import DatabaseUnavailable
from notiway.store.engine.file_lock import locked

RETRY = 0.01
HOLDER = """
import sys
from pathlib import Path
from notiway.store.engine.file_lock import locked
with locked(Path(sys.argv[1]), 1, 0.01):
    print("inside", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shop.db.migrating"


@pytest.fixture
def holder(path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "inside\n"
        yield process


def test_another_process_is_kept_out_until_the_first_one_leaves(path, holder):
    with locked(path, 0, RETRY) as is_ours:
        assert not is_ours
    holder.stdin.close()
    with locked(path, 60, RETRY) as is_ours:
        assert is_ours


def test_one_that_is_killed_keeps_nobody_out(path, holder):
    holder.send_signal(signal.SIGKILL)
    with locked(path, 60, RETRY) as is_ours:
        assert is_ours


def test_the_file_is_its_owners_and_stays(path):
    with locked(path, 0, RETRY) as is_ours:
        assert is_ours
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_where_no_file_can_be_made_the_reason_is_told(tmp_path):
    with (
        pytest.raises(DatabaseUnavailable, match="not available") as raised,
        locked(tmp_path / "missing" / "lock", 0, RETRY),
    ):
        pass
    assert "No such file" in raised.value.reason
