"""Throttle: rate limits for producers and users, and the windows in which this process counts."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from functools import lru_cache
from typing import Protocol

from limits import RateLimitItem, parse

from notiway.values.errors import Throttled

PARTS = 256  # of a window: what was counted within one of them is kept as one number
SHORTEST_SECONDS = 0.001  # to wait
SWEEP_AFTER = 10_000  # windows; then those in which nothing is counted any more are let go

_parse = lru_cache(maxsize=64)(parse)


class Counts(Protocol):
    """Where it is counted: in this process (`Windows`), or over several (`shared/shared_windows.py`)."""

    def hit(self, limit: RateLimitItem, what: str, who: str, cost: int) -> float:
        """Count `cost`, unless that would go over the limit: then the seconds to wait, else 0.0."""


class Throttle:
    """Counts what each client did lately.

    >>> Throttle(Windows()).take("publish", "2 per minute", "billing")
    """

    def __init__(self, windows: Counts) -> None:
        self._windows = windows

    def take(self, what: str, rate: str, who: str, amount: int = 1) -> None:
        """Count `amount` for `who`; `Throttled`, with seconds to wait, when that goes over the rate."""
        limit = _parse(rate)
        cost = min(amount, limit.amount)  # a batch larger than the whole limit may pass an empty window
        seconds = self._windows.hit(limit, what, who, cost)
        if seconds > 0:
            raise Throttled(f"Too many requests: the limit is {rate}", max(1, math.ceil(seconds)))


class Window:
    """What was counted in the last `seconds`; what happened within a small part of it counts from its beginning.

    >>> window = Window(60.0)
    >>> window.add(2, 0.0), window.count(59.0), window.count(60.0)
    (None, 2, 0)
    """

    __slots__ = ("_counts", "_seconds", "_total")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._counts: deque[list[float]] = deque()  # since when, how many
        self._total = 0.0

    def add(self, amount: int, now: float) -> None:
        """Count so many more."""
        if self._counts and now - self._counts[-1][0] < self._seconds / PARTS:
            self._counts[-1][1] += amount
        else:
            self._counts.append([now, amount])
        self._total += amount

    def count(self, now: float) -> int:
        """How many count now."""
        while self._counts and self._counts[0][0] <= now - self._seconds:
            self._total -= self._counts.popleft()[1]
        return int(self._total)

    @property
    def reset_time(self) -> float:
        """When the oldest of them count no more, by the clock of `add`."""
        return self._counts[0][0] + self._seconds if self._counts else 0.0


class Windows:
    """Moving windows in this process. The package's own keep an entry for each single count, and move them all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[tuple[str, ...], Window] = {}

    def hit(self, limit: RateLimitItem, what: str, who: str, cost: int) -> float:
        now = time.time()
        key = (str(limit), what, who)
        with self._lock:
            window = self._windows.get(key)
            if window is None:
                self._sweep(now)
                window = self._windows[key] = Window(limit.get_expiry())
            if window.count(now) + cost > limit.amount:
                return max(window.reset_time - now, SHORTEST_SECONDS)
            window.add(cost, now)
            return 0.0

    def _sweep(self, now: float) -> None:
        if len(self._windows) >= SWEEP_AFTER:
            self._windows = {key: each for key, each in self._windows.items() if each.count(now)}
