"""Lobby: where gunicorn's gevent worker lets connections wait, at little cost, until they have said what they want."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gevent.server import StreamServer

from notiway import metrics
from notiway.ops.arrivals import END, Arrivals, is_live
from notiway.values.config import Config

MOST = 10_000  # connections that wait here at once
SWEEP_SECONDS = 0.5
HEAD_BYTES = 64 * 1024  # a longer head is left to gunicorn, which refuses it
READ = 1  # of gevent's event loop


def open_lobby(worker: Any, connect_rate: float = Config.connect_rate) -> None:
    """Let a gunicorn worker take connections through a Lobby; for `post_worker_init` in gunicorn's configuration.

    `connect_rate` is NOTIWAY_CONNECT_RATE: WebSockets and streams that are taken in a second. Workers other than
    gevent's are left alone, and so is TLS, whose heads cannot be read from outside.

    >>> def post_worker_init(worker):
    ...     lobby.open_lobby(worker)
    """
    if not hasattr(worker, "server_class") or worker.cfg.is_ssl:
        return

    def serve(listener: Any, spawn: Any, **_: Any) -> Lobby:
        seconds = worker.cfg.keepalive or SWEEP_SECONDS
        return Lobby(listener, partial(worker.handle, listener), spawn, seconds, connect_rate=connect_rate)

    worker.server_class = serve


class Guest:
    """A connection that has not finished the head of its first request."""

    __slots__ = ("address", "arrived", "is_live", "seen", "socket", "watcher")

    def __init__(self, client: Any, address: Any) -> None:
        self.socket, self.address = client, address
        self.arrived = time.monotonic()
        self.is_live = False  # whether it asks for a connection that stays
        self.seen = 0  # bytes of the head that lie in the kernel
        self.watcher: Any = None


class Lobby(StreamServer):  # type: ignore[misc]
    """A server that gives a connection a greenlet only when the whole head of its first request is there.

    A greenlet with the stack of a waiting parser costs 12 KB, and anybody can open connections and say nothing, or half
    a head. Here such a connection costs a socket object and a watcher; what it has said stays in the kernel. It has
    `seconds` for its head, and when more than `most` wait, the oldest are closed: real clients send their requests much
    sooner. One that asks for a WebSocket or a stream is let in when it is its turn (arrivals.py).
    """

    def __init__(
        self,
        listener: Any,
        handle: Callable[[Any, Any], None],
        spawn: Any,
        seconds: float,
        most: int = MOST,
        connect_rate: float = Config.connect_rate,
    ) -> None:
        self._guests: dict[Guest, None] = {}  # the oldest first
        self._held_up: list[Guest] = []  # they have spoken, but as many requests as may be are under way
        self._sight = bytearray(HEAD_BYTES)
        self._seconds, self._most = seconds, most
        self._sweeper: Any = None
        super().__init__(listener, handle=handle, spawn=spawn)
        self._arrivals = Arrivals(self.loop, connect_rate, super().do_handle, self.full)

    def start(self) -> None:
        super().start()
        self._sweeper = self.loop.timer(SWEEP_SECONDS, SWEEP_SECONDS)  # started while somebody waits

    def close(self) -> None:
        """Take no more connections; those that have not spoken yet are closed."""
        if self._sweeper is not None:
            self._sweeper.stop()
            self._sweeper.close()
            self._sweeper = None
            for guest in list(self._guests):
                self._look_at(guest)
            for guest in list(self._guests):
                self._leave(guest)
                guest.socket.close()
            self._arrivals.close()
        super().close()

    def do_handle(self, client: Any, address: Any) -> None:
        """Take a new connection: most have sent their request by now, and do not wait at all."""
        client.setblocking(False)
        guest = Guest(client, address)
        if self._has_spoken(guest):
            self._let_in(guest)
            return
        guest.watcher = self.loop.io(client.fileno(), READ)
        guest.watcher.start(self._look_at, guest)
        self._guests[guest] = None
        if not self._sweeper.active:
            self._sweeper.start(self._sweep)
        if len(self._guests) > self._most:
            self._drop(next(iter(self._guests)))
        metrics.UNFINISHED_REQUESTS.set(len(self._guests))

    def _look_at(self, guest: Guest) -> None:
        if not self._has_spoken(guest):
            return
        if self.full():
            guest.watcher.stop()
            self._held_up.append(guest)
            return
        self._leave(guest)
        with contextlib.suppress(OSError):  # it has gone, which the handler finds out
            guest.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        self._let_in(guest)

    def _let_in(self, guest: Guest) -> None:
        """Now, if it wants an answer; in its turn if it wants to stay."""
        if guest.is_live:
            self._arrivals.put(guest.socket, guest.address)
        else:
            super().do_handle(guest.socket, guest.address)

    def _has_spoken(self, guest: Guest) -> bool:
        """Whether there is something to handle: a whole head, an end, or what gunicorn will refuse."""
        try:
            size = guest.socket.recv_into(self._sight, HEAD_BYTES, socket.MSG_PEEK)
            if size in (guest.seen, HEAD_BYTES):
                return True
            end = self._sight.find(END, 0, size)
            if end >= 0:
                guest.is_live = is_live(bytes(self._sight[:end]))
                return True
            guest.seen = size
            # The watcher is quiet until there is more.
            guest.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size + 1)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return False

    def _sweep(self) -> None:
        late = time.monotonic() - self._seconds
        while self._guests and (oldest := next(iter(self._guests))).arrived < late:
            self._drop(oldest)
        waiting, self._held_up = self._held_up, []
        for guest in waiting:
            if guest in self._guests:
                guest.watcher.start(self._look_at, guest)
        metrics.UNFINISHED_REQUESTS.set(len(self._guests))
        if not self._guests:
            self._sweeper.stop()

    def _drop(self, guest: Guest) -> None:
        self._leave(guest)
        guest.socket.close()
        metrics.UNFINISHED_DROPS.inc()

    def _leave(self, guest: Guest) -> None:
        del self._guests[guest]
        guest.watcher.stop()
        guest.watcher.close()
