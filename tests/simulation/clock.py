"""Clock: virtual time, in whole microseconds, which moves only when the world moves it."""

from __future__ import annotations

EPOCH_SECONDS = 1_750_000_000  # what the clock of every simulated machine shows at the start
MICRO = 1_000_000  # microseconds in a second
MILLI = 1_000  # … in a millisecond


class Clock:
    """The one clock of all simulated processes and clients."""

    def __init__(self) -> None:
        self.us = 0  # since the start

    def monotonic(self) -> float:
        return self.us / MICRO

    def time(self) -> float:
        return EPOCH_SECONDS + self.us / MICRO

    def time_ns(self) -> int:
        return (EPOCH_SECONDS * MICRO + self.us) * 1_000

    def now_ms(self) -> int:
        return (EPOCH_SECONDS * MICRO + self.us) // 1_000
