"""Heartbeat: pings that are spread over the interval, and the connections that have not answered them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

from notiway.live.connection import PING, Connection
from notiway.live.state import State

SLICES = 100  # parts of the interval
QUICK_SECONDS = 15.0  # SignalR clients give up on a server that is silent for 30
MISSED_BEATS = 2  # a client silent for so many intervals is gone


class Pulse:
    """Pings every connection once in `interval` seconds, a slice at each `beat`, which comes `SLICES` times in it."""

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self.begin: Callable[[], None] = lambda: None  # what lets `beat` come; called with each connection
        self._slices: list[dict[Connection, None]] = [{} for _ in range(SLICES)]
        self._next_for_new = itertools.cycle(range(SLICES))
        self._next_to_beat = itertools.cycle(range(SLICES))

    def add(self, connection: Connection) -> None:
        """Begin to ping a connection."""
        connection.slot = next(self._next_for_new)
        self._slices[connection.slot][connection] = None
        self.begin()

    def __bool__(self) -> bool:
        """Whether there is anybody to ping."""
        return any(self._slices)

    def remove(self, connection: Connection) -> None:
        """Stop pinging it."""
        self._slices[connection.slot].pop(connection, None)

    def beat(self, *, silent: bool = False) -> list[Connection]:
        """Ping the next slice, let go of those that have not answered, and return the others.

        With `silent` the caller pings them: with what else it has to say, in one write.
        """
        alive = []
        for connection in list(self._slices[next(self._next_to_beat)]):
            if self._is_gone(connection):
                connection.lost()
            elif connection.state is State.OPEN:
                connection.missed += 1
                alive.append(connection)
        if not silent:
            ping(alive)
        return alive

    def _is_gone(self, connection: Connection) -> bool:
        transport = connection.format.transport
        silence = connection.missed * self.interval
        return transport.answers and connection.missed >= MISSED_BEATS and silence >= transport.silence_seconds


def ping(connections: Iterable[Connection], then: bytes | None = None, key: str | None = None) -> None:
    """Ping connections, and tell each of them `then`; on the reactor."""
    joined: dict[int, bytes] = {}
    for connection in connections:
        transport = connection.format.transport
        if then is not None and connection.direct:
            if id(transport) not in joined:
                joined[id(transport)] = transport.ping() + then
            connection.write(joined[id(transport)])
            continue
        connection.offer(transport.ping(), PING)
        if then is not None:
            connection.offer(then, key)


class Heartbeat(Pulse):
    """The pulse of this process; `quick` is that of clients which cannot wait so long, and count for themselves."""

    def __init__(self, interval: float) -> None:
        super().__init__(interval)
        self.quick = Pulse(min(interval, QUICK_SECONDS))

    def add(self, connection: Connection) -> None:
        """Begin to ping a connection."""
        if connection.format.transport.is_impatient:
            self.quick.add(connection)
        else:
            super().add(connection)

    def remove(self, connection: Connection) -> None:
        """Stop pinging it."""
        self.quick.remove(connection)
        super().remove(connection)
