"""Budget: how much the pump may do between two pauses, in sends and in time."""

from __future__ import annotations

import time
from collections.abc import Callable

SENDS = 200  # about a millisecond of them
SLICE_SECONDS = 0.001
LATE_SECONDS = 0.02  # Events that have waited for longer get more of the loop, or requests would outrun them
SHARE = 0.5  # of the time that the others have just taken
LONGEST_SECONDS = 0.02  # only where the others have taken twice as long


class Budget:
    """What is left of it. An Event costs a send for each listener, and the time to draw it, which no count tells."""

    def __init__(self, age: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> None:
        self._age = age  # in seconds, of the oldest Event that waits
        self._clock = clock
        self._ends = 0.0
        self._rests_since = 0.0
        self.sends = 0

    def rest(self) -> None:
        """A pause begins."""
        self._rests_since = self._clock()

    def renew(self) -> None:
        """A pause is over."""
        now = self._clock()
        fair = min(SHARE * (now - self._rests_since), LONGEST_SECONDS) if self._age() > LATE_SECONDS else 0.0
        self.sends = SENDS
        self._ends = now + max(fair, SLICE_SECONDS)

    def take(self, wanted: int) -> int:
        """Use up sends: as many as wanted, or as are left."""
        taken = min(wanted, self.sends)
        self.sends -= taken
        return taken

    @property
    def is_spent(self) -> bool:
        """Whether it is time for a pause."""
        return self.sends <= 0 or self._clock() >= self._ends
