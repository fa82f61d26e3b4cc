"""Breaker: after a fault nobody waits for the backend again until some time has passed (circuit breaker)."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST_SECONDS = 0.25  # after the first fault; each in a row doubles it
LONGEST_SECONDS = 2.0


class Breaker:
    """Closed while all is well. After a fault it is open for a while; then one may try, and the others not yet.

    >>> breaker = Breaker(clock=lambda: 0.0)
    >>> breaker.note_fault(), breaker.admits()
    (None, False)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._faults = 0
        self._open_until = 0.0

    def admits(self) -> bool:
        """Whether the backend may be asked now. After a fault one is told yes each time, and the next ones no."""
        if not self._faults:
            return True
        now = self._clock()
        if now < self._open_until:
            return False
        self._open_until = now + self.seconds
        return True

    @property
    def seconds(self) -> float:
        """How long it is open after as many faults as there were."""
        return float(min(FIRST_SECONDS * 2 ** max(self._faults - 1, 0), LONGEST_SECONDS))

    def note_fault(self) -> None:
        """The backend failed."""
        self._faults = min(self._faults + 1, 10)
        self._open_until = self._clock() + self.seconds

    def note_answer(self) -> bool:
        """The backend answered; whether it had failed before."""
        had_failed, self._faults = self._faults > 0, 0
        return had_failed
