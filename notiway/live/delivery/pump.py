"""Pump: events fan out in their order, slice by slice; what must have its place among them takes a turn."""

from __future__ import annotations

import itertools
import logging
from collections import deque
from collections.abc import Callable, Iterator
from typing import cast

from notiway.live.delivery.budget import Budget
from notiway.live.delivery.recalled import Recalled
from notiway.live.delivery.waiting import Waiting
from notiway.live.reactor import Reactor
from notiway.values.event import Event

log = logging.getLogger(__name__)

TAKEN = 500  # events and turns that are put into groups at once
JOINED = 25  # events in one send: they are rendered without a pause

Turn = Callable[[], None]
FanOut = Callable[[str, list[Event], Budget], Iterator[None]]  # pauses whenever the budget is spent


class Pump:
    """The queue between what is delivered and its fan-out; runs on the reactor."""

    def __init__(self, reactor: Reactor, fan_out: FanOut, waiting: Waiting, budget: Budget | None = None) -> None:
        self._reactor = reactor
        self._fan_out = fan_out
        self._waiting = waiting
        self._recalled = Recalled()
        self._budget = budget or Budget(lambda: waiting.oldest_seconds)
        self._queue: deque[Event | Turn] = deque()
        self._is_running = False

    def take(self, event: Event) -> None:
        """Fan this out behind everything that was taken before; nothing of what was recalled by then."""
        left = self._recalled.left_of(event)
        if left is None:
            return
        self._queue.append(left)
        self._waiting.queue()
        if not self._is_running:
            self._is_running = True
            self._reactor.add_job(self._run())

    def take_turn(self, turn: Turn) -> None:
        """Do this behind everything that was taken before; at once if there is nothing."""
        if self._is_running:
            self._queue.append(turn)
        else:
            _do(turn)

    def _run(self) -> Iterator[None]:
        self._budget.renew()
        try:
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), TAKEN))]
                for joined, group in itertools.groupby(batch, _joined_by):
                    if joined is None:
                        for turn in group:
                            _do(cast("Turn", turn))
                        continue
                    events = cast("Iterator[Event]", group)
                    while part := list(itertools.islice(events, JOINED)):
                        yield from self._tell(joined[0], part)
        finally:
            self._is_running = False
            self._budget.rest()

    def _tell(self, audience: str, events: list[Event]) -> Iterator[None]:
        try:
            for _ in self._fan_out(audience, events, self._budget):
                yield from self._rest()
        except Exception:
            log.exception("events for %s did not reach every connection; the next ones do", audience)
        self._waiting.done(len(events))
        if self._budget.is_spent:
            yield from self._rest()

    def _rest(self) -> Iterator[None]:
        self._budget.rest()
        yield
        self._budget.renew()


def _joined_by(one: Event | Turn) -> tuple[str, bool] | None:
    """Neighbours for the same audience are joined: one send carries several frames; None for turns.

    Events after a kick must not reach the connections that it closed, so no send spans a kick, or a turn.
    """
    return (one.audience, one.kind == "kick") if isinstance(one, Event) else None


def _do(turn: Turn) -> None:
    try:
        turn()
    except Exception:
        log.exception("the hub goes on after a fault in %s", turn)
