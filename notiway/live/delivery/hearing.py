"""Hearing: what the broker is asked to hear, as the connections of this process come and go.

An audience is heard, and the broker has confirmed it, before the database is read for a connection that wants it: what
is told from then on comes live, what was told before is in the log. It is let go some seconds after its last listener,
so that a page that changes costs nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Protocol

from notiway.live.delivery.listeners import Listeners
from notiway.live.reactor import Reactor
from notiway.values.errors import BrokerDown

log = logging.getLogger(__name__)

LINGER_SECONDS = 5.0
LOOK_SECONDS = 1.0  # between two looks for audiences that nobody wants any more


class Subscriber(Protocol):
    """What is needed of the broker."""

    def listen(self, audiences: Collection[str]) -> bool: ...
    def unlisten(self, audiences: Collection[str]) -> None: ...


class Hearing:
    """Holds audiences for those who are about to listen, and lets go of those that nobody hears.

    Until `ask_of`, and within one process for ever, there is nobody to ask: everything is heard.
    """

    def __init__(self, reactor: Reactor, listeners: Listeners, clock: Callable[[], float] = time.monotonic) -> None:
        self._broker: Subscriber | None = None
        self._listeners = listeners
        self._clock = clock
        self._lock = threading.Lock()
        self._pins: dict[str, int] = {}  # by those who are not registered yet, or never as listeners
        self._idle: dict[str, float] = {}  # since when nobody wants it, the oldest first
        self._look = reactor.ticker(LOOK_SECONDS, self._let_go)
        self._reactor = reactor

    def ask_of(self, broker: Subscriber) -> None:
        """From now on this broker hears what is wanted, and nothing else."""
        self._broker = broker
        self._listeners.on_empty = self._note_idle

    def pin(self, audiences: Collection[str]) -> bool:
        """Hear these until `unpin`, whoever listens; returns when that is confirmed, never on the reactor.

        Whether something may have been told before that nobody here heard. Where the broker is away nothing is waited
        for: when it is back, everybody is brought up to date.
        """
        if self._broker is None:
            return False
        with self._lock:
            for each in audiences:
                self._pins[each] = self._pins.get(each, 0) + 1
                self._idle.pop(each, None)
        try:
            return self._broker.listen(audiences)
        except BrokerDown as error:
            log.debug("a client is not live yet: %s", error.reason)
            return True

    def unpin(self, audiences: Collection[str]) -> None:
        """From now on these are heard as long as there are listeners; from any thread."""
        if self._broker is None:
            return
        with self._lock:
            for each in audiences:
                left = self._pins.get(each, 1) - 1
                if left:
                    self._pins[each] = left
                    continue
                self._pins.pop(each, None)
                if not self._listeners.count(each):
                    self._idle[each] = self._clock()
            has_idle = bool(self._idle)
        if has_idle:
            self._reactor.call_soon(self._look)

    @contextmanager
    def pinned(self, audiences: Collection[str]) -> Iterator[bool]:
        """Inside, these are heard."""
        is_new = self.pin(audiences)
        try:
            yield is_new
        finally:
            self.unpin(audiences)

    def _note_idle(self, audience: str) -> None:
        """On the reactor: the last listener has gone."""
        with self._lock:
            self._idle[audience] = self._clock()
        self._look()

    def _let_go(self) -> bool:
        """On the reactor: end what was idle for long enough; whether something else is."""
        due = self._clock() - LINGER_SECONDS
        gone: list[str] = []
        with self._lock:
            while self._idle:
                audience, since = next(iter(self._idle.items()))
                if since > due:
                    break
                del self._idle[audience]
                if audience not in self._pins and not self._listeners.count(audience):
                    gone.append(audience)
            if gone and self._broker is not None:
                self._broker.unlisten(gone)  # within the lock: whoever pins one of them asks for it anew behind this
            return bool(self._idle)
