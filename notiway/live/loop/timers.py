"""Timers: what a reactor does later, or now and then; it sleeps until the first of them is due."""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections.abc import Callable
from typing import Any

from notiway.pausing import until_then


class Ticker:
    """Calls a function at an interval while there is something to do, so a process with nothing to do sleeps.

    Call it whenever there is something; while it ticks that does nothing. A fault does not end it.
    """

    def __init__(self, timers: Timers, seconds: float, function: Callable[[], Any]) -> None:
        self.due = math.inf  # when the next call comes, of `time.monotonic`
        self._timers, self._seconds, self._function = timers, seconds, function

    def __call__(self) -> None:
        if self.due == math.inf:
            now = time.monotonic()
            seconds = until_then(self._seconds, now)  # together with what else comes once a second
            self.due = now + seconds
            self._timers.later(seconds, self._tick)

    def _tick(self) -> None:
        self.due = math.inf
        goes_on = True
        try:
            goes_on = self._function()
        finally:
            if goes_on:
                self()


class Timers:
    """One queue for all that is to come. Used on the reactor, or before it starts."""

    def __init__(self) -> None:
        self._queue: list[tuple[float, int, Callable[[], None]]] = []  # a heap by the time
        self._number = itertools.count()

    def later(self, seconds: float, function: Callable[[], None]) -> None:
        """Call a function once, after so many seconds."""
        heapq.heappush(self._queue, (time.monotonic() + seconds, next(self._number), function))

    def every(self, seconds: float, function: Callable[[], Any]) -> None:
        """Call a function at this interval, in seconds, for ever. It wakes the process each time: see `ticker`."""
        self.ticker(seconds, lambda: function() or True)()

    def ticker(self, seconds: float, function: Callable[[], Any]) -> Ticker:
        """What begins to call a function at this interval, until the function says that nothing is left to do."""
        return Ticker(self, seconds, function)

    def due(self) -> list[Callable[[], None]]:
        """What is to be called now; what one of them sets for now comes the next time."""
        now = time.monotonic()
        found = []
        while self._queue and self._queue[0][0] <= now:
            found.append(heapq.heappop(self._queue)[2])
        return found

    def rest(self, longest: float) -> float:
        """For how many seconds nothing is due, `longest` at most."""
        return min(max(self._queue[0][0] - time.monotonic(), 0.0), longest) if self._queue else longest
