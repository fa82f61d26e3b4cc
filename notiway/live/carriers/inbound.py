"""Inbound: what clients say, handled away from the reactor, in turn, and no faster than a bounded rate."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from notiway import metrics
from notiway.live.connection import Connection
from notiway.live.limits.bucket import Bucket
from notiway.live.reactor import Reactor
from notiway.live.state import State
from notiway.pausing import pause
from notiway.values.close_codes import CloseCode

log = logging.getLogger(__name__)

WORKERS = 8  # threads, or greenlets under gevent
PAUSE_AT = 32  # waiting messages at which a client is not read from any more
MAIL_LIMIT = 16_384  # waiting messages of one client: more can only come from one packed read
BURST_SECONDS = 10  # of its rate a client may use up at once
USER_FACTOR = 4  # the connections of one user together may say so many times as much as one of them
BEHIND_BYTES = 256 * 1024  # that wait for a client: until it has taken them, it is not served
CONTROL_COST = 0.1  # of a message: a ping, or a fragment
SWEEP_BUCKETS = 1_000  # buckets at which the full ones are let go
TICK_SECONDS = 0.05  # between two looks for clients that may go on


class Inbound:
    """Runs the `handle` of a connection's format for each message, one at a time for each connection.

    Connections take turns, a message each, so that nobody waits for more than one message of anybody else. A client
    that says more than `rate` messages a second is not refused but read from more slowly. One that has not taken the
    answers to what it asked for is not served meanwhile: what waits for all clients together is bounded.
    """

    def __init__(self, reactor: Reactor, rate: float = 100.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._reactor = reactor
        self._rate = rate
        self._clock = clock
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="notiway-inbound")
        self._lock = threading.Lock()
        self._buckets: dict[str, Bucket] = {}  # by connection and by user; only of those who are busy
        self._resting: list[tuple[float, int, Connection]] = []  # a heap by the time when they go on
        self._behind: list[Connection] = []  # they have messages here, and too much to read yet
        self._number = itertools.count()
        self._sweep_at = SWEEP_BUCKETS
        self._look = reactor.ticker(TICK_SECONDS, self._resume)

    def put(self, connection: Connection, text: str) -> None:
        """Take a message from the reactor."""
        wait = self._charge(connection, 1.0)
        with self._lock:
            waiting = connection.mail
            is_first = waiting is None
            if waiting is None:
                waiting = connection.mail = deque()
            waiting.append(text)
            count = len(waiting)
        if count > MAIL_LIMIT:
            connection.close(CloseCode.NOT_ALLOWED, "too many messages")
            return
        if wait or count >= PAUSE_AT:
            self._rest(connection, wait)
        if is_first:
            self._pool.submit(self._work, connection)

    def control(self, connection: Connection, frames: int) -> None:
        """Take note of frames that are no messages: they cost the reactor, which answers them itself."""
        if wait := self._charge(connection, frames * CONTROL_COST):
            self._rest(connection, wait)

    def close(self) -> None:
        """Finish what is being handled; take nothing new."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _charge(self, connection: Connection, amount: float) -> float:
        """How many seconds this client must wait, for itself or for its user's other connections."""
        now = self._clock()
        own = self._bucket(f"connection:{connection.id}", self._rate, now).take(amount, now)
        users = self._bucket(f"user:{connection.user_id}", self._rate * USER_FACTOR, now).take(amount, now)
        return max(own, users)

    def _bucket(self, key: str, rate: float, now: float) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(rate, rate * BURST_SECONDS, now)
            if len(self._buckets) > self._sweep_at:
                self._look()
        return bucket

    def _rest(self, connection: Connection, seconds: float) -> None:
        if not connection.paused:
            metrics.INBOUND_PAUSES.inc()
            self._reactor.pause(connection, True)
            heapq.heappush(self._resting, (self._clock() + seconds, next(self._number), connection))
            self._look()

    def _resume(self) -> bool:
        """On the reactor: let those go on whose time has come and whose messages are done; whether others wait."""
        self._serve_again()
        now = self._clock()
        while self._resting and self._resting[0][0] <= now:
            _, number, connection = heapq.heappop(self._resting)
            if connection.state is State.OPEN and len(connection.mail or ()) >= PAUSE_AT:
                heapq.heappush(self._resting, (now + TICK_SECONDS, number, connection))
            else:
                self._reactor.pause(connection, False)
        if len(self._buckets) > self._sweep_at:
            self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now)}
            self._sweep_at = 2 * len(self._buckets) + SWEEP_BUCKETS
        return bool(self._resting or self._behind)

    def _serve_again(self) -> None:
        with self._lock:
            looked_at, self._behind = self._behind, []
        for connection in looked_at:
            if _is_behind(connection):
                with self._lock:
                    self._behind.append(connection)
            else:
                self._go_on(connection)

    def _work(self, connection: Connection) -> None:
        """Handle one message; the connection's next one comes after the others' turns."""
        with self._lock:
            if connection.state is not State.OPEN:
                connection.mail = None  # nobody is there to be answered
            if not connection.mail:
                connection.mail = None
                return
            if _is_behind(connection):
                self._behind.append(connection)
                self._reactor.call_soon(self._look)
                return
            text = connection.mail.popleft()
        try:
            connection.format.handle(connection, text)
        except Exception:
            log.exception("a client's message failed; the connection goes on")
        pause()  # under gevent: the requests that came meanwhile, and the reactor
        self._go_on(connection)

    def _go_on(self, connection: Connection) -> None:
        try:
            self._pool.submit(self._work, connection)
        except RuntimeError:
            log.debug("the process ends; what this client said last is not handled")


def _is_behind(connection: Connection) -> bool:
    backlog = connection.backlog  # the reactor's; looked at once
    return connection.state is State.OPEN and backlog is not None and backlog.total >= BEHIND_BYTES
