"""Replayed: what a client got in a replay is not sent once more when its Event comes late."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from time import monotonic

from notiway.live.connection import Connection
from notiway.live.reactor import Reactor

KEEP_SECONDS = 10.0  # the longest delay between an item's commit and its Event
TICK_SECONDS = 1.0


class Replayed:
    """Lets each connection know, for a while, the ids that it was replayed; runs on the reactor.

    An item is in the database before its Event is published (invariant 1). A client that resumes between the two
    gets it from the database; the Event must then pass it by.
    """

    def __init__(self, reactor: Reactor) -> None:
        self._known: deque[tuple[float, Connection, frozenset[str]]] = deque()
        self._watch = reactor.ticker(TICK_SECONDS, self._forget)

    def __len__(self) -> int:
        return len(self._known)

    def remember(self, connection: Connection, ids: Iterable[str]) -> None:
        """These items are on their way to the connection."""
        known = frozenset(filter(None, ids))
        if known:
            connection.know(connection.known | known)
            self._known.append((monotonic() + KEEP_SECONDS, connection, known))
            self._watch()

    def _forget(self) -> bool:
        now = monotonic()
        while self._known and self._known[0][0] <= now:
            _, connection, known = self._known.popleft()
            connection.know(connection.known - known)
        return bool(self._known)
