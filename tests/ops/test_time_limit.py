"""Time limit: a job that takes too long is ended, and the next one has its turn."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from huey import MemoryHuey
from huey.exceptions import TaskTimeout

from notiway.ops import time_limit

ROOT = Path(__file__).resolve().parents[2]
UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()
import time
from huey.exceptions import TaskTimeout
from notiway.ops.time_limit import limited
try:
    with limited(0.05):
        time.sleep(60)
except TaskTimeout as error:
    print("ended", error)
with limited(60):
    print("next")
"""


def work():
    """Work for much longer than any limit here, yet not for ever."""
    for _ in range(20_000):
        time.sleep(0.001)


def test_under_gevent_a_job_that_waits_is_ended():
    done = subprocess.run(
        [sys.executable, "-c", UNDER_GEVENT], capture_output=True, text=True, cwd=ROOT, env=os.environ, check=False
    )
    assert done.stdout.splitlines() == ["ended after 0.05 s", "next"], done.stderr


def test_in_a_thread_a_job_that_does_not_end_is_ended():
    with pytest.raises(TaskTimeout), time_limit.limited(0.01):
        work()


def test_what_is_done_in_time_is_left_alone_and_so_is_what_follows():
    alarm = time_limit._Alarm(threading.get_ident())
    alarm.silence()
    alarm.ring()
    with time_limit.limited(60):
        done = True
    assert done
    timers = [each for each in threading.enumerate() if isinstance(each, threading.Timer)]
    assert all(each.finished.is_set() for each in timers)


def test_a_consumer_ends_a_job_says_so_and_does_the_next(caplog):
    huey = MemoryHuey("limits", results=False)
    time_limit.use(huey)
    time_limit.use(huey)
    done = []

    @huey.task(timeout=0.01)
    def endless():
        work()

    @huey.task()
    def short():
        done.append("short")

    endless()
    short()
    for _ in range(2):
        huey.execute(huey.dequeue())
    assert done == ["short"]
    told = [record.getMessage() for record in caplog.records if record.name == time_limit.__name__]
    assert len(told) == 1
    assert "NOTIWAY_JOB_SECONDS" in told[0]
