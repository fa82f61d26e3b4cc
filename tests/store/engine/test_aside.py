"""Aside: while the commit of a large transaction writes, greenlets run; a killed one leaves nothing half done."""

import subprocess
import sys
from pathlib import Path

from notiway.store.engine import aside

ROOT = Path(__file__).resolve().parents[3]
UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()
import sqlite3, sys, threading
import gevent
from gevent.monkey import get_original
from notiway.store.engine import aside

ident = get_original("threading", "get_ident")
sleep = get_original("time", "sleep")
begun, may_end = get_original("threading", "Event")(), get_original("threading", "Event")()
"""
IN_A_THREAD = (
    UNDER_GEVENT
    + """
def call():
    begun.set()
    assert may_end.wait(20)
    return ident()

asked = gevent.spawn(aside.of(), call)
while not begun.is_set():
    gevent.sleep(0.001)
turns = 0
for _ in range(10):
    gevent.sleep(0)
    turns += 1
assert not asked.ready()
may_end.set()
print(turns, asked.get(timeout=20) != ident())
"""
)
KILLED = (
    UNDER_GEVENT
    + """
done = []

def call():
    begun.set()
    assert may_end.wait(20)
    done.append("call")

def ask():
    try:
        aside.of()(call)
    finally:
        done.append("greenlet")

asked = gevent.spawn(ask)
while not begun.is_set():
    gevent.sleep(0.001)
asked.kill(block=False)
gevent.sleep(0.01)
assert done == []
may_end.set()
asked.join(20)
print(*done)
"""
)
FAILING = (
    UNDER_GEVENT
    + """
def call():
    raise sqlite3.OperationalError("database is locked")

try:
    aside.of()(call)
except sqlite3.OperationalError as error:
    print(error)
"""
)


def said(script: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def test_without_gevent_there_is_no_need():
    assert aside.of() is None


def test_greenlets_run_while_a_call_lasts():
    assert said(IN_A_THREAD) == "10 True"


def test_a_greenlet_that_is_killed_ends_after_its_call():
    assert said(KILLED) == "call greenlet"


def test_a_fault_comes_back():
    assert said(FAILING) == "database is locked"
