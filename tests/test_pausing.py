"""A pause lets the whole loop go round, not only the greenlets that are ready."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from notiway import pausing

ROOT = Path(__file__).resolve().parents[1]
# How often a greenlet pauses before another one hears of a byte that lies in a pipe.
UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()
import gevent, os, time
from notiway.pausing import pause

heard = []
reading, writing = os.pipe()
gevent.spawn(lambda: (gevent.socket.wait_read(reading), heard.append("a byte")))
time.sleep(0.01)
os.write(writing, b"x")
pauses = 0
while not heard:
    pause()
    pauses += 1
print(pauses)
"""


def test_under_gevent_sockets_get_their_turn_in_each_pause():
    done = subprocess.run(
        [sys.executable, "-c", UNDER_GEVENT], capture_output=True, text=True, cwd=ROOT, env=os.environ, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 2


@pytest.mark.parametrize(("asked", "slept"), [(0.0, True), (0.02, 0.02)])
def test_a_pause_is_never_a_sleep_of_no_length(monkeypatch, asked, slept):
    lengths = []
    monkeypatch.setattr(pausing.time, "sleep", lengths.append)
    pausing.pause(asked)
    (length,) = lengths
    assert length > 0
    assert slept is True or length == slept


def test_work_that_lasts_pauses_and_short_work_does_not(monkeypatch):
    done, now = [], [0.0]
    monkeypatch.setattr(pausing, "pause", lambda: done.append("pause"))
    for value in pausing.in_stretches(range(6), seconds=0.005, clock=lambda: now[0]):
        done.append(value)
        now[0] += 0.004 if value < 4 else 0.0
    assert done == [0, 1, "pause", 2, 3, "pause", 4, 5]
