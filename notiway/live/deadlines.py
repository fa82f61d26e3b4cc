"""Deadlines: connections that end with their session or token, or that must say hello in time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from notiway.live.connection import Connection
from notiway.live.reactor import Reactor
from notiway.live.state import State
from notiway.values.close_codes import CloseCode

TICK_SECONDS = 0.5

Ending = Callable[[Connection], None]


def sign_out(connection: Connection) -> None:
    """What a deadline does to a connection, unless it is told otherwise."""
    connection.close(CloseCode.SIGNED_OUT, "the session or token has ended")


class Deadlines:
    """Ends each connection at its `ends_at`; runs on the reactor."""

    def __init__(self, reactor: Reactor) -> None:
        self._ends: dict[Connection, tuple[float, Ending]] = {}
        self._next = math.inf  # nothing is due before this time
        self._watch = reactor.ticker(TICK_SECONDS, self._close_due)

    def __len__(self) -> int:
        return len(self._ends)

    def set(self, connection: Connection, ends_at: float | None, end: Ending = sign_out) -> None:
        """The connection ends at this time (seconds since the epoch), whatever was set before; None: at none.

        With another `end`, that is until when it must say hello; its session's end waits in `Connection.ends_at`.
        """
        if end is sign_out:
            connection.ends_at = ends_at
        if ends_at is None or connection.state is State.CLOSED:
            self.forget(connection)
        else:
            self._ends[connection] = ends_at, end
            self._next = min(self._next, ends_at)
            self._watch()

    def move(self, connection: Connection, ends_at: float | None) -> None:
        """The session goes on until this time; a client that must say hello first has no more time for that.

        News that comes late shortens nothing.
        """
        if ends_at is not None and connection.ends_at is not None:
            ends_at = max(ends_at, connection.ends_at)
        connection.ends_at = ends_at
        _, end = self._ends.get(connection, (0.0, sign_out))
        if end is sign_out:
            self.set(connection, ends_at)

    def greet(self, connection: Connection) -> None:
        """The client has said hello: from now on it ends with its session."""
        self.set(connection, connection.ends_at)

    def forget(self, connection: Connection) -> None:
        """The connection has ended by itself."""
        self._ends.pop(connection, None)

    def _close_due(self) -> bool:
        now = time.time()
        if now < self._next:
            return bool(self._ends)
        for connection, (due, end) in list(self._ends.items()):
            if due <= now:
                self.forget(connection)
                end(connection)
        self._next = min((due for due, _ in self._ends.values()), default=math.inf)
        return bool(self._ends)
