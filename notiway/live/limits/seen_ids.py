"""SeenIds: which ids were taken lately, for notifications that are stored nowhere."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

REMEMBER_SECONDS = 600.0
REMEMBER_IDS = 100_000

Key = tuple[str, str]  # whose id it is, and the id


class Ids(Protocol):
    """Ids that are taken once, with what was said first under each; of this process, or of several."""

    def add_all(self, said: Mapping[Key, str]) -> dict[Key, str]: ...
    def among(self, keys: Iterable[Key]) -> dict[Key, str]: ...
    def forget(self, keys: Iterable[Key]) -> None: ...
    def add(self, key: Key, said: str = "") -> bool: ...
    def get(self, key: Key) -> str | None: ...


class SeenIds:
    """A bounded memory of ids in this process, with what was said first under each.

    >>> seen = SeenIds()
    >>> seen.add(("billing", "1")), seen.add(("billing", "1"))
    (True, False)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._taken: OrderedDict[Key, tuple[float, str]] = OrderedDict()

    def add(self, key: Key, said: str = "") -> bool:
        """Whether the id is new; it is not for the next ten minutes."""
        return not self.add_all({key: said})

    def add_all(self, said: Mapping[Key, str]) -> dict[Key, str]:
        """Take all of these that are new. What was said under the others, which are taken."""
        now = self._clock()
        with self._lock:
            self._drop_old()
            taken = {key: self._taken[key][1] for key in said if key in self._taken}
            self._taken.update((key, (now, text)) for key, text in said.items() if key not in taken)
            return taken

    def get(self, key: Key) -> str | None:
        """What was said under an id that is taken; None for one that is not."""
        return self.among([key]).get(key)

    def among(self, keys: Iterable[Key]) -> dict[Key, str]:
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
