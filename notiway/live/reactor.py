"""Reactor: one loop that owns every live socket of this process.

It runs in a thread; under gevent's monkey patching that thread is a greenlet and the wait is cooperative,
so the same code serves gunicorn's gevent worker and `flask run`. Other threads only hand over calls.
"""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from notiway.live.backlog import BLOCKED
from notiway.live.connection import Connection
from notiway.live.loop.timers import Timers
from notiway.live.loop.waiting import waiter_for
from notiway.live.state import State
from notiway.pausing import pause

log = logging.getLogger(__name__)

IDLE_SECONDS = 60.0  # the longest sleep without a timer
FAREWELL_SECONDS = 1.0  # between two looks for clients that do not end their side
CALLS_AT_ONCE = 200  # calls of other threads in one turn
READ_BYTES = 16 * 1024  # at once: a flood of tiny frames in it costs a few milliseconds
GRACE_SECONDS = 10.0  # how long a client that was said goodbye to may take to end its side


def _epoll() -> Any:
    """The kernel's epoll; gevent's patching takes it out of `select`."""
    if hasattr(select, "epoll"):
        return select.epoll()
    if "gevent" in sys.modules:
        from gevent.monkey import get_original

        return get_original("select", "epoll")()
    raise RuntimeError("Notiway needs epoll, which only Linux has: run it there, or in a container")


class Reactor:
    """Waits for sockets, runs calls handed over by other threads, timers, and long jobs slice by slice."""

    def __init__(self) -> None:
        self._by_fd: dict[int, Connection] = {}
        self._calls: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._jobs: deque[Iterator[None]] = deque()
        self._timers = Timers()
        self.every, self.ticker = self._timers.every, self._timers.ticker  # on the reactor, or before it starts
        self.later = self._timers.later
        self._farewells: dict[Connection, float] = {}
        self._awake = True  # nobody to wake yet: the first turn takes the calls that are here
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._watch_farewells = self.ticker(FAREWELL_SECONDS, self._end_farewells)

    def start(self) -> None:
        """Run in a thread of its own; called once in each process, after a fork: processes must not share an epoll."""
        self._epoll = _epoll()
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
            weakref.finalize(self, os.close, end).atexit = False
        self._epoll.register(self._wake_read, select.POLLIN)
        self._awake = False
        self._thread = threading.Thread(target=self._run, name="notiway-reactor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the loop; the sockets are left to the process's end."""
        self.call_soon(self._stop)

    def call_soon(self, function: Callable[..., None], *args: Any) -> None:
        """Run a function on the reactor, in the order of the calls; safe from any thread."""
        self._calls.append((function, args))
        if not self._awake:
            self._awake = True
            try:
                os.write(self._wake_write, b"\0")
            except BlockingIOError:
                log.debug("the reactor has been woken already")

    def add_job(self, job: Iterator[None]) -> None:
        """Run a generator slice by slice; between slices sockets are read and other threads run."""
        self._jobs.append(job)

    def watch(self, connection: Connection) -> None:
        """Begin to read from a connection's socket."""
        self._by_fd[connection.fd] = connection
        self._epoll.register(connection.fd, select.POLLIN)

    def want_write(self, connection: Connection, wanted: bool) -> None:
        """Ask to be told when a socket that was full takes more."""
        if self._by_fd.get(connection.fd) is not connection:
            return
        if connection.state is not State.OPEN:
            self._farewells.setdefault(connection, time.monotonic() + GRACE_SECONDS)
            self._watch_farewells()
        connection.wants_write = wanted
        self._look_for(connection)

    def pause(self, connection: Connection, paused: bool) -> None:
        """Stop or go on reading from a client that sends faster than its messages are handled."""
        connection.paused = paused
        if self._by_fd.get(connection.fd) is connection:
            self._look_for(connection)

    def _look_for(self, connection: Connection) -> None:
        # A goodbye is read to its end, whatever the client has said before.
        reads = not connection.paused or connection.state is not State.OPEN
        mask = (select.POLLIN if reads else 0) | (select.POLLOUT if connection.wants_write else 0)
        self._epoll.modify(connection.fd, mask)

    def forget(self, connection: Connection) -> None:
        """Let a socket go; called before it is closed, for its number may be used again at once."""
        self._farewells.pop(connection, None)
        if self._by_fd.get(connection.fd) is connection:
            del self._by_fd[connection.fd]
            try:
                self._epoll.unregister(connection.fd)
            except OSError as error:
                log.debug("a socket was gone already: %s", error)

    def _stop(self) -> None:
        self._stopping = True

    def _run(self) -> None:
        waiter = waiter_for(self._epoll.fileno())
        while not self._stopping:
            if self._jobs or self._calls:
                pause()  # others first
            else:
                waiter.wait(self._timers.rest(IDLE_SECONDS))
            self._turn()
        waiter.close()

    def _turn(self) -> None:
        for fd, mask in self._epoll.poll(0):
            if fd == self._wake_read:
                self._drain_wake()
            elif (connection := self._by_fd.get(fd)) is not None:
                self._guard(self._ready, connection, mask)
        # Of the calls that are here now: a call may hand over another one.
        for _ in range(min(len(self._calls), CALLS_AT_ONCE)):
            function, args = self._calls.popleft()
            self._guard(function, *args)
        for function in self._timers.due():
            self._guard(function)
        if self._jobs:
            self._guard(self._slice, self._jobs[0])

    def _slice(self, job: Iterator[None]) -> None:
        done = True
        try:
            next(job)
            done = False
        except StopIteration:
            return
        finally:
            if done:
                self._jobs.popleft()

    def _drain_wake(self) -> None:
        try:
            os.read(self._wake_read, 4096)
        except BlockingIOError:
            log.debug("woken twice for one byte")
        # Only now: whoever handed over a call before this line is served in this same turn.
        self._awake = False

    def _ready(self, connection: Connection, mask: int) -> None:
        if mask & select.POLLOUT:
            connection.flush()
        if mask & (select.POLLIN | select.POLLHUP | select.POLLERR) and connection.state is not State.CLOSED:
            self._read(connection)

    def _read(self, connection: Connection) -> None:
        while connection.state is not State.CLOSED:
            try:
                data = connection.sock.recv(READ_BYTES)
            except BLOCKED:
                return
            except OSError:
                data = b""
            if not data:
                connection.lost()
                return
            if connection.state is State.OPEN:
                connection.missed = 0
                connection.format.transport.receive(connection, data)
            # A TLS socket may hold bytes that epoll cannot see; a plain one would tell us again.
            if not getattr(connection.sock, "pending", int)():
                return

    def _end_farewells(self) -> bool:
        now = time.monotonic()
        for connection in [each for each, deadline in self._farewells.items() if deadline <= now]:
            connection.lost()
        return bool(self._farewells)

    def _guard(self, function: Callable[..., None], *args: Any) -> None:
        try:
            function(*args)
        except Exception:
            log.exception("the reactor goes on after a fault in %s", getattr(function, "__qualname__", function))
