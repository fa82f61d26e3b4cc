"""Superseding: of values that replace each other, only the newest goes out, ten times a second at most."""

from __future__ import annotations

from collections.abc import Callable

from notiway.event import Event
from notiway.reactor import Reactor

INTERVAL_SECONDS = 0.1


class Superseding:
    """Keeps the newest Event of each audience and key, and passes it on at the next tick; runs on the reactor."""

    def __init__(self, reactor: Reactor, take: Callable[[Event], None]) -> None:
        self._newest: dict[tuple[str, str], Event] = {}
        self._take = take
        reactor.every(INTERVAL_SECONDS, self._flush)

    def put(self, event: Event) -> None:
        """Take an Event whose data name under `coalesce` what it supersedes."""
        self._newest[event.audience, event.data["coalesce"]] = event

    def _flush(self) -> None:
        newest, self._newest = self._newest, {}
        for event in newest.values():
            self._take(event)
