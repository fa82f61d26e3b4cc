"""Reader: the one thread (a greenlet under gevent) of a process that hears what Redis tells."""

from __future__ import annotations

import logging
import os
import random
import select
import threading
import time
from collections.abc import Callable
from typing import Any

import hiredis

from notiway.live.broker.redis_client import translated
from notiway.live.broker.subscriptions import Subscriptions
from notiway.pausing import STRETCH_SECONDS, pause
from notiway.values.errors import BrokerDown

log = logging.getLogger(__name__)

READ_BYTES = 64 * 1024
PING_SECONDS = 3.0  # of silence, after which Redis is asked whether it is there
ANSWER_SECONDS = 3.0  # of silence behind that, after which it is taken for dead
BACK_OFF_SECONDS = (0.1, 5.0)  # between two tries to connect: first, and at most

Take = Callable[[bytes], None]  # what was told on any of the channels


class Reader:
    """Keeps one connection to Redis that hears all channels that are wanted; connects again when it is lost.

    `on_whole` is called whenever everything that is wanted is heard again after a connection was lost, or could not be
    made; `on_late` with a channel whose confirmation came when nobody waited any
    more.
    """

    def __init__(
        self,
        make_connection: Callable[[], Any],
        subscriptions: Subscriptions,
        take: Take,
        on_whole: Callable[[], None],
        on_late: Callable[[str], None],
    ) -> None:
        self._make_connection = make_connection
        self._connection: Any = None  # one for ever: a pool counts what it has made
        self._subscriptions = subscriptions
        self._take = take
        self._on_whole = on_whole
        self._on_late = on_late
        self._ends = False
        self._is_gap = False  # something was missed since everything was heard
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
        self._thread = threading.Thread(target=self._run, name="notiway-broker", daemon=True)
        self.is_reading = self._was_whole = False

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There are commands to be sent; from any thread."""
        try:
            os.write(self._wake_write, b"\0")
        except BlockingIOError:
            log.debug("the reader has been woken already")
        except OSError:
            log.debug("the reader has ended")

    def stop(self, seconds: float = 2.0) -> None:
        """Hear nothing more."""
        self._ends = True
        self.wake()
        self._thread.join(seconds)

    def _run(self) -> None:
        wait, longest = BACK_OFF_SECONDS
        was_told = False
        while not self._ends:
            began = time.monotonic()
            try:
                with translated():
                    self._hear()
            except BrokerDown as error:
                log.log(logging.DEBUG if was_told else logging.WARNING, "live delivery stands still: %s", error.reason)
                was_told = True
            except Exception:
                log.exception("the broker's reader connects again after a fault")
            if self._was_whole:
                was_told, wait = False, BACK_OFF_SECONDS[0]
            self._is_gap = True  # whoever listens was told that nothing is confirmed
            self._subscriptions.disconnect()
            if not self._ends:
                self._rest(wait * random.uniform(0.5, 1.0) - (time.monotonic() - began))  # noqa: S311 - spreads load
                wait = min(wait * 2, longest)
        for end in (self._wake_read, self._wake_write):
            os.close(end)

    def _hear(self) -> None:
        """Connect, ask for everything, and hear until the line is lost or this ends."""
        self._was_whole = False
        connection = self._connection = self._connection or self._make_connection()
        try:
            connection.connect()
            self._subscriptions.connect()
            self._read(connection, connection._sock)
        finally:
            self.is_reading = False
            connection.disconnect()

    def _read(self, connection: Any, sock: Any) -> None:
        parser = hiredis.Reader()
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        heard_at, is_asked = time.monotonic(), False
        while not self._ends:
            for name, channels in self._subscriptions.commands():
                connection.send_packed_command(connection.pack_command(name, *channels), check_health=False)
            self._note_whole()
            ready = {fd for fd, _ in poll.poll(PING_SECONDS * 1000)}
            if self._wake_read in ready:
                self._drain_wake()
            if sock.fileno() in ready:
                self._feed(parser, sock)
                heard_at, is_asked = time.monotonic(), False
            elif (silence := time.monotonic() - heard_at) >= PING_SECONDS + ANSWER_SECONDS:
                raise BrokerDown(f"Redis: said nothing for {silence:.0f} s")
            elif silence >= PING_SECONDS and not is_asked:
                is_asked = True
                connection.send_packed_command(connection.pack_command("PING"), check_health=False)

    def _feed(self, parser: Any, sock: Any) -> None:
        while True:
            data = sock.recv(READ_BYTES)
            if not data:
                raise BrokerDown("Redis: closed the connection")
            parser.feed(data)
            self._take_all(parser)
            # A TLS socket may hold bytes that poll cannot see.
            if not getattr(sock, "pending", int)():
                return

    def _take_all(self, parser: Any) -> None:
        began = time.monotonic()
        while (message := parser.gets()) is not False:
            if isinstance(message, hiredis.ReplyError):
                raise BrokerDown(f"Redis: {message}")
            kind = message[0] if isinstance(message, list) and message else None
            if kind == b"message":
                self._take(message[2])
            elif kind == b"subscribe" and self._subscriptions.confirm(channel := message[1].decode()):
                self._on_late(channel)
            if time.monotonic() - began > STRETCH_SECONDS:
                pause()
                began = time.monotonic()

    def _note_whole(self) -> None:
        if self.is_reading or not self._subscriptions.is_whole:
            return
        self.is_reading = self._was_whole = True
        if self._is_gap:
            self._is_gap = False
            log.warning("live delivery goes on; clients are brought up to date")
            self._on_whole()

    def _rest(self, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        deadline = time.monotonic() + seconds
        while not self._ends and (left := deadline - time.monotonic()) > 0:
            if poll.poll(left * 1000):
                self._drain_wake()

    def _drain_wake(self) -> None:
        try:
            os.read(self._wake_read, 4096)
        except BlockingIOError:
            log.debug("woken twice for one byte")
