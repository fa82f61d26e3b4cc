"""SeenIds: which ids were taken lately, for envelopes that are stored nowhere."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

REMEMBER_SECONDS = 600.0
REMEMBER_IDS = 100_000


class SeenIds:
    """A bounded memory of ids in this process.

    >>> seen = SeenIds()
    >>> seen.add(("billing", "1")), seen.add(("billing", "1"))
    (True, False)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._taken: OrderedDict[tuple[str, str], float] = OrderedDict()

    def add(self, key: tuple[str, str]) -> bool:
        """Whether the id is new; it is not for the next ten minutes."""
        now = self._clock()
        with self._lock:
            while self._taken and (
                len(self._taken) > REMEMBER_IDS or next(iter(self._taken.values())) < now - REMEMBER_SECONDS
            ):
                self._taken.popitem(last=False)
            if key in self._taken:
                return False
            self._taken[key] = now
            return True
