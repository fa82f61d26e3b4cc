"""Later: Events that the broker did not take are kept for a while, and published when it answers again."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence

from notiway.values.errors import BrokerDown
from notiway.values.event import UNDER_WAY_SECONDS, Event

log = logging.getLogger(__name__)

MARKS = frozenset({"read", "unread", "read_all", "read_each", "deleted", "restored"})
MOST_EVENTS = 1_000
MOST_AUDIENCES = 1_000  # that are told one by one that something is missing; beyond it all are
TOGETHER = 100  # Events in one round trip
TRY_SECONDS = 0.5  # between two tries

PublishNow = Callable[[Sequence[Event]], None]
TellGap = Callable[[Collection[str] | None], None]


class Later:
    """A bounded line of Events, in their order; a thread tries to publish them as long as there are any.

    What is too much, or too old for a client to expect it still, or would be wrong behind others, becomes a gap: its
    audiences are named, and whoever hears them is brought up to date.
    """

    def __init__(self, publish: PublishNow, tell_gap: TellGap, clock: Callable[[], float] = time.monotonic) -> None:
        self._publish = publish
        self._tell_gap = tell_gap
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: deque[tuple[float, Event]] = deque()
        self._gap: set[str] = set()
        self._is_gap_for_all = False
        self._is_trying = False
        self._ends = threading.Event()

    def __bool__(self) -> bool:
        """Whether something waits: whatever is published now would overtake it."""
        return bool(self._kept or self._gap or self._is_gap_for_all)

    def keep(self, events: Sequence[Event]) -> None:
        """Publish these as soon as that can be done."""
        now = self._clock()
        with self._lock:
            for event in events:
                if is_looked_up(event):
                    self._miss([event.audience])
                else:
                    self._kept.append((now, event))
            while len(self._kept) > MOST_EVENTS:
                self._miss([self._kept.popleft()[1].audience])
        self._begin()

    def miss(self, audiences: Collection[str] | None) -> None:
        """Something for these audiences, or for all, is lost: tell so as soon as that can be done."""
        with self._lock:
            self._miss(audiences)
        self._begin()

    def try_now(self) -> bool:
        """Publish what waits; False, and the rest waits on, if the broker does not take it."""
        try:
            while part := self._next():
                self._publish([event for _, event in part])
                with self._lock:
                    for each in part:
                        if self._kept and self._kept[0] is each:
                            self._kept.popleft()
            with self._lock:
                gap, for_all = set(self._gap), self._is_gap_for_all
            if gap or for_all:
                self._tell_gap(None if for_all else gap)
                with self._lock:
                    self._gap -= gap
                    self._is_gap_for_all = self._is_gap_for_all and not for_all
        except BrokerDown as error:
            log.debug("events wait on: %s", error.reason)
            return False
        return not self

    def close(self) -> None:
        """Try once more, then let go."""
        self._ends.set()
        if self and not self.try_now():
            log.warning("%d events were not told: the broker is away. Clients see what is stored", len(self._kept))

    def _next(self) -> list[tuple[float, Event]]:
        oldest = self._clock() - UNDER_WAY_SECONDS
        with self._lock:
            while self._kept and self._kept[0][0] < oldest:
                self._miss([self._kept.popleft()[1].audience])
            return [self._kept[number] for number in range(min(len(self._kept), TOGETHER))]

    def _miss(self, audiences: Collection[str] | None) -> None:
        if audiences is None or len(self._gap) + len(audiences) > MOST_AUDIENCES:
            self._is_gap_for_all = True
            self._gap.clear()
        elif not self._is_gap_for_all:
            self._gap.update(audiences)

    def _begin(self) -> None:
        with self._lock:
            if self._is_trying or self._ends.is_set():
                return
            self._is_trying = True
        threading.Thread(target=self._try, name="notiway-later", daemon=True).start()

    def _try(self) -> None:
        while not self._ends.wait(TRY_SECONDS):
            try:
                is_done = self.try_now()
            except Exception:
                log.exception("events that waited for the broker could not be published; they wait on")
                is_done = False
            with self._lock:
                if is_done and not self:
                    self._is_trying = False
                    return
        self._is_trying = False


def is_looked_up(event: Event) -> bool:
    """Whether this would undo, told late, what another process did and told since: the same item was marked again.

    What is stored may be recalled by then, or deleted by its reader. All of this is found in the database.
    """
    return event.kind in MARKS or event.is_stored
