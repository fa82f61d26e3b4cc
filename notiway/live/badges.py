"""Badges: unread counts that no Event could carry, told to those who are connected here.

A heartbeat tells everybody's. A stored broadcast changes the count of each of its listeners, and no Event can name
them all, so each process settles its own (`Settling`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from notiway.live.carriers import newcomers
from notiway.live.carriers.leavers import Leavers
from notiway.live.connection import Connection
from notiway.live.heartbeat import SLICES, ping
from notiway.live.hub import Hub
from notiway.live.reactor import Reactor
from notiway.live.settling import Run, Settling
from notiway.store import inbox
from notiway.store.database import db
from notiway.store.sql import in_batches
from notiway.values.count import Count
from notiway.values.event import Event

log = logging.getLogger(__name__)

WORKERS = 2  # threads, or greenlets under gevent: apart from clients' messages, which may be many
BEATS_WAITING = 10  # slices of the heartbeat whose counts may wait for the database

Context = Callable[[], AbstractContextManager[Any]]  # of the application whose database is asked


class Badges:
    """Counts for the connections of a hub. The broker delivers through it, the reactor's timer makes it beat."""

    def __init__(self, reactor: Reactor, hub: Hub, run: Run | None = None, context: Context = nullcontext) -> None:
        self._hub = hub
        self._context = context
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="notiway-badges")
        self._run = run or self._submit
        self._beats_waiting = 0
        self.settling = Settling(hub, self._run)
        self.leavers = Leavers(hub, self._run)
        for pulse, beat in ((hub.heartbeat, self.beat), (hub.heartbeat.quick, self.ping)):
            pulse.begin = reactor.ticker(pulse.interval / SLICES, beat)

    def deliver(self, event: Event) -> None:
        """Take an Event from the broker; what it does to the counts of its listeners follows its fan-out."""
        self._hub.deliver(event)
        if event.kind in ("joined", "left"):
            self._hub.in_turn(self._look_after_who_moved)
        if event.leaves_counts_open:
            self.settling.note(event)

    def beat(self) -> bool:
        """Ping the next slice of connections, and tell each of them its count; whether there are any."""
        # With a database that is slow, a beat without counts is better than ever more that wait.
        counts = self._beats_waiting < BEATS_WAITING
        alive = self._hub.heartbeat.beat(silent=counts)
        if alive and counts:
            self._beats_waiting += 1
            self._run(partial(self._count, alive))
        return bool(self._hub.heartbeat)

    def ping(self) -> bool:
        """Ping the next slice of the clients that cannot wait for a heartbeat; whether there are any."""
        self._hub.heartbeat.quick.beat()
        return bool(self._hub.heartbeat.quick)

    def close(self) -> None:
        """Finish what is being counted; take nothing new."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def tell_counts(self, alive: list[Connection]) -> None:
        """Ping these connections and tell each its unread count, in one write; one query for up to 500 users."""
        users = sorted({each.user_id for each in alive if each.user_id is not None})
        for part in in_batches(users):
            with db.connection_context():
                counts = inbox.unread_counts(part)
            alike: dict[tuple[int, int], list[Connection]] = {}
            for connection in alive:
                if (count := counts.get(connection.user_id or "")) is not None:
                    alike.setdefault((count, count.as_of), []).append(connection)
            for (unread, as_of), connections in alike.items():
                self._hub.tell_count(connections, Count(unread, as_of), pings=True)

    def _count(self, alive: list[Connection]) -> None:
        try:
            self.tell_counts(alive)
        except Exception:
            self._hub.reactor.call_soon(ping, alive)  # some a second time, which does no harm
            raise
        finally:
            self._beats_waiting -= 1

    def _submit(self, work: Callable[[], None]) -> None:
        try:
            self._pool.submit(self._guarded, work)
        except RuntimeError:
            log.debug("the process ends; counts are told no more")

    def _look_after_who_moved(self) -> None:
        moved, self._hub.moved = self._hub.moved, []
        for connection, event, was_opening in moved:
            if event.kind == "left":
                self.leavers.note(connection, event.data["audience"])
                continue
            if was_opening:
                newcomers.open_again(connection)
            self._run(partial(newcomers.follow, self._hub, self.leavers, connection, event, was_opening))

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            with self._context():
                work()
        except Exception:
            log.exception("counts could not be told; the next heartbeat tells them")
