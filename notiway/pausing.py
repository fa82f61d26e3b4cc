"""Pausing: long work lets others run in between, greenlets under gevent, else threads."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

LEAST_SECONDS = 1e-9  # any length will do, except none
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
