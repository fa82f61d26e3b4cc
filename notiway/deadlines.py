"""Deadlines: connections that end with their session or token, or that must say hello in time."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable

from notiway.connection import CloseCode, Connection
from notiway.reactor import Reactor

TICK_SECONDS = 0.5


Ending = Callable[[Connection], None]


def sign_out(connection: Connection) -> None:
    """What a deadline does to a connection, unless it is told otherwise."""
    connection.close(CloseCode.SIGNED_OUT, "the session or token has ended")


class Deadlines:
    """Ends each connection at its `ends_at`; runs on the reactor."""

    def __init__(self, reactor: Reactor) -> None:
        self._heap: list[tuple[float, int, Connection, Ending]] = []
        self._tickets = itertools.count()  # settles ties: connections have no order
        reactor.every(TICK_SECONDS, self._close_due)

    def set(self, connection: Connection, ends_at: float | None, end: Ending = sign_out) -> None:
        """The connection ends at this time (seconds since the epoch), whatever was set before; None: at none."""
        connection.ends_at = ends_at
        if ends_at is not None:
            heapq.heappush(self._heap, (ends_at, next(self._tickets), connection, end))

    def _close_due(self) -> None:
        now = time.time()
        while self._heap and self._heap[0][0] <= now:
            due, _, connection, end = heapq.heappop(self._heap)
            if connection.ends_at == due:  # else another one was set since
                end(connection)
