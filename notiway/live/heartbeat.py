"""Beats: pings, spread over the interval so that they never come all at once, and who has not answered."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from notiway.live.connection import Connection, State
from notiway.live.reactor import Reactor

SLICES = 100  # parts of the interval
MISSED_BEATS = 2  # a client silent for so many intervals is gone


class Beats:
    """Pings every connection once in `interval` seconds, and tells `alive` of those that were pinged."""

    def __init__(self, reactor: Reactor, interval: float, alive: Callable[[list[Connection]], None]) -> None:
        self._alive = alive
        self._interval = interval
        self._slices: list[dict[Connection, None]] = [{} for _ in range(SLICES)]
        self._next_for_new = itertools.cycle(range(SLICES))
        self._next_to_beat = itertools.cycle(range(SLICES))
        reactor.every(interval / SLICES, self._beat)

    def add(self, connection: Connection) -> None:
        """Begin to ping a connection."""
        connection.slot = next(self._next_for_new)
        self._slices[connection.slot][connection] = None

    def remove(self, connection: Connection) -> None:
        """Stop pinging it."""
        self._slices[connection.slot].pop(connection, None)

    def _beat(self) -> None:
        alive = []
        for connection in list(self._slices[next(self._next_to_beat)]):
            if self._is_gone(connection):
                connection.lost()
            elif connection.state is State.OPEN:
                connection.missed += 1
                connection.offer(connection.format.transport.ping(), "ping")
                alive.append(connection)
        if alive:
            self._alive(alive)

    def _is_gone(self, connection: Connection) -> bool:
        transport = connection.format.transport
        silence = connection.missed * self._interval
        return transport.answers and connection.missed >= MISSED_BEATS and silence >= transport.silence_seconds
