"""Pressure: how much waits for slow clients in all, and which of them are let go."""

from __future__ import annotations

from time import monotonic

from notiway import metrics
from notiway.live.backlog import STALL_SECONDS
from notiway.live.connection import Connection
from notiway.live.reactor import Reactor
from notiway.live.state import State

SWEEP_SECONDS = 0.5  # between two looks for clients that take nothing
FRAME_BYTES = 128  # that a frame costs in a client's queue, besides its own


class Pressure:
    """Bounds the memory that slow clients cost; runs on the reactor.

    `limit` is in bytes for all clients together; a frame that waits for many of them is in memory once, and counts
    once. A client that takes none of what waits for it for `silence` seconds is gone, however little that is.
    """

    def __init__(self, reactor: Reactor, limit: int, silence: float) -> None:
        self.queued = 0  # bytes
        self._waiting: dict[int, int] = {}  # how many clients wait for a frame, by its identity
        self._limit = limit
        self._silence = silence
        self._behind: dict[Connection, None] = {}
        self._is_relieving = False
        self._watch = reactor.ticker(SWEEP_SECONDS, self.sweep)

    def enter(self, connection: Connection) -> None:
        """Something waits for this client."""
        self._behind[connection] = None
        self._watch()

    def leave(self, connection: Connection) -> None:
        """Nothing waits for it any more."""
        self._behind.pop(connection, None)

    def hold(self, data: bytes) -> None:
        """A client waits for this. Over the limit the slowest clients go."""
        waiting = self._waiting.get(id(data), 0)
        self._waiting[id(data)] = waiting + 1
        self.queued += FRAME_BYTES if waiting else FRAME_BYTES + len(data)
        if self.queued > self._limit and not self._is_relieving:
            self._is_relieving = True  # a goodbye is queued too
            try:
                self._relieve()
            finally:
                self._is_relieving = False

    def let_go(self, data: bytes) -> None:
        """A client waits for this no longer."""
        waiting = self._waiting.pop(id(data))
        if waiting > 1:
            self._waiting[id(data)] = waiting - 1
        self.queued -= FRAME_BYTES if waiting > 1 else FRAME_BYTES + len(data)

    def sweep(self) -> bool:
        """Let go of clients that take nothing; whether anything waits for anybody."""
        metrics.QUEUED_BYTES.set(self.queued)
        gone = monotonic() - self._silence
        for connection in list(self._behind):
            backlog = connection.backlog
            if backlog is None:
                continue
            if backlog.progress_at < gone:
                connection.lost()
            elif connection.state is State.OPEN and backlog.has_stalled(connection.limit):
                connection.drop()
        return bool(self._behind)

    def _relieve(self) -> None:
        stalled_since = monotonic() - STALL_SECONDS
        for slowest in sorted(self._behind, key=lambda each: _rank(each, stalled_since)):
            if self.queued <= self._limit:
                return
            metrics.MEMORY_DROPS.inc()
            if slowest.state is State.OPEN:
                slowest.drop()
            else:
                slowest.lost()
            self.leave(slowest)  # its goodbye is all that is left


def _rank(connection: Connection, stalled_since: float) -> tuple[float, int]:
    """Those that have stalled first, the longest silence before others; then those with the most to read."""
    backlog = connection.backlog
    if backlog is None:
        return stalled_since, 0
    return min(backlog.progress_at, stalled_since), -backlog.total
