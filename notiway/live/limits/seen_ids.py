"""SeenIds: which ids were taken lately, for notifications that are stored nowhere."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

REMEMBER_SECONDS = 600.0
REMEMBER_IDS = 100_000

Key = tuple[str, str]  # whose id it is, and the id


class SeenIds:
    """A bounded memory of ids in this process, with what was said first under each.

    >>> seen = SeenIds()
    >>> seen.add(("billing", "1")), seen.add(("billing", "1"))
    (True, False)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._taken: OrderedDict[Key, tuple[float, Any]] = OrderedDict()

    def add(self, key: Key, said: Any = None) -> bool:
        """Whether the id is new; it is not for the next ten minutes."""
        with self._lock:
            self._drop_old()
            if key in self._taken:
                return False
            self._taken[key] = self._clock(), said
            return True

    def get(self, key: Key) -> Any:
        """What was said under an id that is taken; None for one that is not."""
        with self._lock:
            self._drop_old()
            return self._taken.get(key, (0.0, None))[1]

    def among(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """The same for those of many that are taken."""
        with self._lock:
            self._drop_old()
            taken = self._taken
            return {key: taken[key][1] for key in keys if key in taken} if taken else {}

    def forget(self, keys: Iterable[Key]) -> None:
        """These were not sent after all."""
        with self._lock:
            for key in keys:
                self._taken.pop(key, None)

    def _drop_old(self) -> None:
        oldest = self._clock() - REMEMBER_SECONDS
        while self._taken and (len(self._taken) > REMEMBER_IDS or next(iter(self._taken.values()))[0] < oldest):
            self._taken.popitem(last=False)
