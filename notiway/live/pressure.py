"""Pressure: how much waits for slow clients in all, and which of them are let go."""

from __future__ import annotations

from time import monotonic

from notiway import metrics
from notiway.live.connection import Connection, State
from notiway.live.reactor import Reactor

SWEEP_SECONDS = 0.5  # between two looks for clients that take nothing


class Pressure:
    """Bounds the memory that slow clients cost; runs on the reactor.

    `limit` is in bytes for all clients together. A client that takes none of what waits for it for `silence` seconds
    is gone, however little that is.
    """

    def __init__(self, reactor: Reactor, limit: int, silence: float) -> None:
        self.queued = 0  # bytes
        self._limit = limit
        self._silence = silence
        self._behind: dict[Connection, None] = {}
        self._is_relieving = False
        reactor.every(SWEEP_SECONDS, self.sweep)

    def enter(self, connection: Connection) -> None:
        """Something waits for this client."""
        self._behind[connection] = None

    def leave(self, connection: Connection) -> None:
        """Nothing waits for it any more."""
        self._behind.pop(connection, None)

    def add(self, size: int) -> None:
        """So many bytes more wait, or less. Over the limit the clients go that have taken nothing for the longest."""
        self.queued += size
        if size > 0 and self.queued > self._limit and not self._is_relieving:
            self._is_relieving = True  # a goodbye is queued too
            try:
                self._relieve()
            finally:
                self._is_relieving = False

    def sweep(self) -> None:
        """Let go of clients that take nothing."""
        metrics.QUEUED_BYTES.set(self.queued)
        gone = monotonic() - self._silence
        for connection in list(self._behind):
            backlog = connection.backlog
            if backlog is None:
                continue
            if backlog.progress_at < gone:
                connection.lost()
            elif connection.state <= State.FINISHING and backlog.has_stalled(connection.limit):
                connection.drop()

    def _relieve(self) -> None:
        while self.queued > self._limit and self._behind:
            slowest = min(self._behind, key=_last_progress)
            metrics.MEMORY_DROPS.inc()
            if slowest.state <= State.FINISHING:
                slowest.drop()
            else:
                slowest.lost()
            self.leave(slowest)  # its goodbye is all that is left


def _last_progress(connection: Connection) -> float:
    return connection.backlog.progress_at if connection.backlog is not None else 0.0
