"""Snoozes: looks when the next snoozed item is due, and has it brought back then.

Every process that holds live connections looks. Which of several brings an item back, the database decides. One that
was snoozed elsewhere is seen within `LONGEST_SECONDS`, and so is all that fell due while no process ran.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from time import monotonic
from typing import Any

from peewee import PeeweeException

from notiway.live.reactor import Reactor
from notiway.store.changes import snoozes
from notiway.store.database import db
from notiway.values.clock import now_ms
from notiway.values.errors import Unavailable
from notiway.verbs.changes.snoozes import wake_due

log = logging.getLogger(__name__)

FIRST_SECONDS = 1.0  # after the start, when there is other work
LONGEST_SECONDS = 5.0  # between two looks
SHORTEST_SECONDS = 0.1  # what is due at once has been tried just now


class Snoozes:
    """Runs on the reactor's timers and a thread of its own (a greenlet under gevent), from `start` to `stop`."""

    def __init__(self, reactor: Reactor, context: Callable[[], AbstractContextManager[Any]]) -> None:
        self._reactor, self._context = reactor, context
        self._pool: ThreadPoolExecutor | None = None
        self._next = math.inf  # when the next look is planned, of `time.monotonic`

    def start(self) -> Snoozes:
        """Look soon, and go on."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="notiway-snoozes")
        self._reactor.call_soon(self._plan, FIRST_SECONDS)
        return self

    def stop(self) -> None:
        """Finish what is being brought back, for the database may be closed next; take nothing new."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def expect(self, until: int) -> None:
        """Something was snoozed here until this moment, in ms since the epoch; safe from any thread."""
        if self._pool is not None:
            self._reactor.call_soon(self._plan, (until - now_ms()) / 1000)

    def _plan(self, seconds: float) -> None:
        due = monotonic() + max(seconds, 0.0)
        if due >= self._next or self._pool is None:
            return
        self._next = due
        if seconds > 0:
            self._reactor.later(seconds, partial(self._begin, due))
        else:
            self._begin(due)

    def _begin(self, due: float) -> None:
        pool = self._pool
        if due != self._next or pool is None:
            return  # an earlier one was planned since
        self._next = math.inf
        try:
            pool.submit(self._look)
        except RuntimeError:
            log.debug("the process ends; what is due comes back with the next one")

    def _look(self) -> None:
        seconds = LONGEST_SECONDS
        try:
            with self._context(), db.connection_context():
                wake_due()
                due = snoozes.next_due()
            if due is not None:
                seconds = min(max((due - now_ms()) / 1000, SHORTEST_SECONDS), LONGEST_SECONDS)
        except (Unavailable, PeeweeException) as error:  # pages and health tell of a database that is away or too old
            log.debug("snoozed notifications cannot be looked for: %s", error)
        except Exception:
            log.exception("snoozed notifications could not be looked for; it is tried again in %g s", seconds)
        self._reactor.call_soon(self._plan, seconds)
