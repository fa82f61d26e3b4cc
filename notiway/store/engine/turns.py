"""Turns: one writer at a time in this process, first come, first served; and waiting that lets others run."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain, repeat
from time import monotonic
from typing import TypeVar

import peewee

from notiway.pausing import pause

LOCK_WAIT_SECONDS = 10  # how long a writer waits for SQLite's write lock, its place in the line included
LOCK_RETRY_SECONDS = (0.0005, 0.001, 0.002, 0.005)  # between the first attempts, and from then on between all

Result = TypeVar("Result")

_hurry: ContextVar[float | None] = ContextVar("notiway_hurry", default=None)  # seconds; each greenlet has its own


class Turns:
    """A line of writers. A turn that ends goes straight to whoever has waited longest.

    >>> turns = Turns()
    >>> turns.take(), turns.take()
    (True, False)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # held for a moment, never across a wait
        self._line: deque[threading.Event] = deque()
        self._is_taken = False

    def __len__(self) -> int:
        """How many wait."""
        return len(self._line)

    def take(self) -> bool:
        """Take the turn if it is free; never waits."""
        with self._lock:
            free, self._is_taken = not self._is_taken, True
        return free

    def wait(self, deadline: float) -> bool:
        """Stand in line until `deadline` (of `time.monotonic`); False if the turn did not come by then."""
        place = threading.Event()
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return True
            self._line.append(place)
        try:
            came = place.wait(max(0.0, deadline - monotonic()))
        except BaseException:  # a greenlet that is killed while it waits
            if not self._gave_up(place):
                self.leave()
            raise
        return came or not self._gave_up(place)

    def leave(self) -> None:
        """End the turn."""
        with self._lock:
            if self._line:
                self._line.popleft().set()
            else:
                self._is_taken = False

    def _gave_up(self, place: threading.Event) -> bool:
        """Step out of the line; False if the turn came in the same moment."""
        with self._lock:
            if place in self._line:
                self._line.remove(place)
                return True
        return False


@contextmanager
def hurried(seconds: float) -> Iterator[None]:
    """Inside, nobody waits longer than this for the write lock: an answer now is worth more than a whole one."""
    token = _hurry.set(seconds)
    try:
        yield
    finally:
        _hurry.reset(token)


def deadline() -> float:
    """Until when a writer that begins to wait now goes on, of `time.monotonic`."""
    hurry = _hurry.get()
    return monotonic() + (LOCK_WAIT_SECONDS if hurry is None else min(hurry, LOCK_WAIT_SECONDS))


def patiently(attempt: Callable[[], Result], until: float) -> Result:
    """Try again while another connection writes, and let others run between two attempts."""
    waits: Iterator[float] | None = None
    while True:
        try:
            return attempt()
        except (peewee.OperationalError, sqlite3.OperationalError) as error:
            if not is_locked(error) or monotonic() > until:
                raise
        waits = waits or chain(LOCK_RETRY_SECONDS, repeat(LOCK_RETRY_SECONDS[-1]))
        pause(next(waits))


def is_locked(error: BaseException) -> bool:
    """Whether SQLite refused because another connection writes."""
    return "locked" in str(error)
