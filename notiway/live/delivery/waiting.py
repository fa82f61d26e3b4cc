"""Waiting: the Events that are on their way to their listeners, since when, and when that is too long."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from notiway.live.delivery.budget import LATE_SECONDS

# An Event that the loop has not even looked at waits for the requests that run before it. With fewer than this many it
# is a single long task, or another process that had the processor, and no load that a refusal would ease.
UNSEEN_SECONDS = 0.1
UNSEEN_COUNT = 64
FEW = 16  # unseen: these are late because this process did not get the processor, which a refusal would not change
# Events in the queue wait for the sends before them. A storm of broadcasts to ten thousand clients keeps them for
# about a second while nothing is wrong: neighbours are joined, so the queue does not grow.
QUEUED_SECONDS = 2.0


class Waiting:
    """When each Event came that has not reached its listeners; the reactor works them off, any thread may ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._unseen: deque[float] = deque()  # handed over to the reactor
        self._queued: deque[float] = deque()  # in the pump
        self._looked_at: float | None = None  # when the Event came that the reactor is looking at

    def __len__(self) -> int:
        return len(self._unseen) + len(self._queued)

    def hand_over(self) -> None:
        """An Event is on its way to the reactor."""
        self._unseen.append(self._clock())

    def look(self, at: Callable[[], None]) -> None:
        """The reactor looks at the oldest one that it has not seen: whatever is queued meanwhile came as early."""
        self._looked_at = self._unseen.popleft()
        try:
            at()
        finally:
            self._looked_at = None

    def queue(self) -> None:
        """An Event is behind all others now."""
        self._queued.append(self._clock() if self._looked_at is None else self._looked_at)

    def done(self, count: int) -> None:
        """The oldest in the queue have reached their listeners."""
        for _ in range(count):
            self._queued.popleft()

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest Event has waited; 0 if none waits."""
        return max(self._age(self._queued), self._age(self._unseen))

    @property
    def is_late(self) -> bool:
        """Whether the loop has not looked at an Event for so long that those who publish should let it."""
        return self._age(self._unseen) > LATE_SECONDS

    @property
    def is_overtaken(self) -> bool:
        """Whether Events are late because more come than the loop can look at."""
        return len(self._unseen) > FEW and self.is_late

    @property
    def is_too_long(self) -> bool:
        """Whether more is published than can be delivered, so that publishers have to wait."""
        if self._age(self._queued) > QUEUED_SECONDS:
            return True
        return len(self._unseen) >= UNSEEN_COUNT and self._age(self._unseen) > UNSEEN_SECONDS

    def _age(self, times: deque[float]) -> float:
        try:
            return self._clock() - times[0]
        except IndexError:
            return 0.0
