"""Inbound: work that may wait for the database, away from the reactor. One client's messages stay in order."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from notiway.live.connection import Connection
from notiway.live.reactor import Reactor
from notiway.values.close_codes import CloseCode

log = logging.getLogger(__name__)

WORKERS = 8  # threads, or greenlets under gevent
PAUSE_AT = 32  # waiting messages at which a client is not read from any more
MAIL_LIMIT = 4096  # waiting messages of one client: more can only come from one packed read


class Inbound:
    """Runs the `handle` of a connection's format for each message, one at a time for each connection."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="notiway-mail")
        self._lock = threading.Lock()

    def run(self, work: Callable[[], None]) -> None:
        """Run something in the pool; a fault is logged."""
        self._pool.submit(self._guarded, work)

    def put(self, connection: Connection, text: str) -> None:
        """Take a message from the reactor."""
        with self._lock:
            waiting = connection.mail
            if waiting is None:
                connection.mail = deque((text,))
                self._pool.submit(self._guarded, lambda: self._work(connection))
                return
            waiting.append(text)
        if len(waiting) > MAIL_LIMIT:
            connection.close(CloseCode.NOT_ALLOWED, "too many messages")
        elif len(waiting) >= PAUSE_AT:
            self._reactor.pause(connection, True)

    def close(self) -> None:
        """Finish what is being handled; take nothing new."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _work(self, connection: Connection) -> None:
        was_paused = False
        while True:
            with self._lock:
                if not connection.mail:
                    connection.mail = None
                    break
                was_paused = was_paused or len(connection.mail) >= PAUSE_AT
                text = connection.mail.popleft()
            self._guarded(lambda text=text: connection.format.handle(connection, text))  # type: ignore[misc]
        if was_paused:
            self._reactor.call_soon(self._reactor.pause, connection, False)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            log.exception("a message or a background query failed; the connection goes on")
