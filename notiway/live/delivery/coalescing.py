"""Coalescing: of values that replace each other, only the newest goes out, ten times a second at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from notiway.live.reactor import Reactor
from notiway.values.event import Event

INTERVAL_SECONDS = 0.1


class Coalescing:
    """Keeps the newest Event of each audience and key until the next tick, and passes on the rest; on the reactor."""

    def __init__(self, reactor: Reactor, take: Callable[[Event], None]) -> None:
        self._newest: dict[str, dict[str, Event]] = {}  # by audience and key
        self._take = take
        self._soon = reactor.ticker(INTERVAL_SECONDS, self._flush)

    def put(self, event: Event) -> None:
        """Take an Event; its data name under `coalesce` what it supersedes, if anything."""
        key = event.data.get("coalesce")
        if key is None:
            # Flush first, or the last report of progress could arrive after the news that the job is done.
            for waiting in self._newest.pop(event.audience, {}).values():
                self._take(waiting)
            self._take(event)
        else:
            self._newest.setdefault(event.audience, {})[key] = event
            self._soon()

    def _flush(self) -> None:
        newest, self._newest = self._newest, {}
        for waiting in newest.values():
            for event in waiting.values():
                self._take(replace(event, published_at=0.0))  # it waited on purpose: that is no delivery time
