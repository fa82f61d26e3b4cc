"""Pausing: long work lets others run in between, greenlets under gevent, else threads."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

LEAST_SECONDS = 1e-9  # any length will do, except none
SHORTEST_SECONDS = 0.5  # a shorter wait is no idle one
EARLY_SECONDS = 0.02  # that one clock may be ahead of another
STRETCH_SECONDS = 0.005  # of work between two pauses

Value = TypeVar("Value")


def is_patched(module: str = "threading") -> bool:
    """Whether gevent has replaced this standard module: then whatever waits in it lets other greenlets run."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched(module))


def pause(seconds: float = 0.0) -> None:
    """Let others run between two batches.

    Never by `time.sleep(0)`: after that gevent goes on with what is ready, this greenlet included, for fifty turns
    before it looks at sockets and timers. After a sleep of any length its loop has gone round once.
    `time.sleep` is looked up now, for gevent may have replaced it since the import.
    """
    time.sleep(max(seconds, LEAST_SECONDS))


def until_then(seconds: float, now: float) -> float:
    """How long to wait instead, so that the wait ends with a second of `time.monotonic`; never longer.

    >>> until_then(1.0, 7.25), until_then(1.0, 8.001), until_then(0.1, 7.25)
    (0.75, 0.9989999999999988, 0.1)
    """
    if seconds < SHORTEST_SECONDS:
        return seconds
    length = math.floor(now + seconds + EARLY_SECONDS) - now
    return length if length > EARLY_SECONDS else seconds


def in_stretches(
    values: Iterable[Value], seconds: float = STRETCH_SECONDS, clock: Callable[[], float] = time.monotonic
) -> Iterator[Value]:
    """These values one by one; when work on them has taken that long, others run before the next one.

    >>> list(in_stretches("ab"))
    ['a', 'b']
    """
    began = clock()
    for value in values:
        if clock() - began > seconds:
            pause()
            began = clock()
        yield value
