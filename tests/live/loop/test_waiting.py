"""Waiting: the reactor sleeps until a socket is ready; under gevent its epoll object is added to gevent's only once."""

import os
import subprocess
import sys

import pytest

from notiway.live.loop.waiting import waiter_for

IN_GEVENT = """
import gevent.monkey
gevent.monkey.patch_all()
import os, time, gevent
from gevent.monkey import get_original
from notiway.live.loop.waiting import waiter_for

epoll = get_original("select", "epoll")()
read, write = os.pipe()
epoll.register(read, 1)
waiter = waiter_for(epoll.fileno())
turns = []


def others():
    while len(turns) < 50:
        turns.append(1)
        gevent.sleep(0)


def wake():
    os.write(write, b"x")


gevent.spawn(others)
waiter.wait(0.05)
assert len(turns) == 50, "others run meanwhile"
for _ in range(20):
    gevent.spawn_later(0.001, wake)
    waiter.wait(60)
    assert epoll.poll(0), "it was woken because there is something"
    os.read(read, 1)
wake()
waiter.wait(60)  # what came before the wait ends it
waiter.close()
print("done")
"""


@pytest.fixture
def pipe():
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_in_a_thread_it_waits_until_there_is_something(pipe):
    read, write = pipe
    waiter = waiter_for(read)
    waiter.wait(0.0)
    os.write(write, b"x")
    waiter.wait(60.0)
    waiter.close()


def test_in_a_greenlet_others_run_meanwhile_and_no_wake_up_is_lost():
    done = subprocess.run([sys.executable, "-c", IN_GEVENT], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("done\n", "")
