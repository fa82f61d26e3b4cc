"""Pace: lets the reports of each task through at a bounded rate."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

REMEMBER_KEYS = 10_000


class Pace:
    """When each key was last let through; a bounded memory of this process.

    >>> pace = Pace(clock=lambda: 0.0)
    >>> pace.due("import-456", 0.1), pace.due("import-456", 0.1)
    (True, False)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last: OrderedDict[str, float] = OrderedDict()

    def due(self, key: str, seconds: float) -> bool:
        """Whether so many seconds have passed since this last said yes for the key."""
        now = self._clock()
        with self._lock:
            last = self._last.get(key)
            if last is not None and now - last < seconds:
                return False
            self._last[key] = now
            self._last.move_to_end(key)
            if len(self._last) > REMEMBER_KEYS:
                self._last.popitem(last=False)
            return True

    def forget(self, key: str) -> None:
        """Let the next one through at once."""
        with self._lock:
            self._last.pop(key, None)
