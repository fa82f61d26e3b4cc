"""Badges: unread counts that no Event could carry, told to those who are connected here.

A heartbeat tells everybody's. A stored broadcast changes the count of each of its listeners, and no Event can name
them all, so each process settles its own: the item goes into their inboxes, then each is told the new count.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from notiway.live.connection import Connection
from notiway.live.delivery.format import Format
from notiway.live.heartbeat import SLICES, ping
from notiway.live.hub import Hub
from notiway.live.reactor import Reactor
from notiway.store import inbox, writing
from notiway.store.database import db
from notiway.store.log import pulling
from notiway.store.sql import in_batches
from notiway.values.event import Event

log = logging.getLogger(__name__)

WORKERS = 2  # threads, or greenlets under gevent: apart from clients' messages, which may be many
BEATS_WAITING = 10  # slices of the heartbeat whose counts may wait for the database

Context = Callable[[], AbstractContextManager[Any]]  # of the application whose database is asked
Run = Callable[[Callable[[], None]], None]  # runs work off the reactor


class Badges:
    """Counts for the connections of a hub. The broker delivers through it, the reactor's timer makes it beat."""

    def __init__(self, reactor: Reactor, hub: Hub, run: Run | None = None, context: Context = nullcontext) -> None:
        self._hub = hub
        self._context = context
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="notiway-badges")
        self._run = run or self._submit
        self._beats_waiting = 0
        self._open: deque[Event] = deque()  # broadcasts whose listeners' counts are not settled yet
        self._is_asked = False
        for pulse, beat in ((hub.heartbeat, self.beat), (hub.heartbeat.quick, self.ping)):
            pulse.begin = reactor.ticker(pulse.interval / SLICES, beat)

    def deliver(self, event: Event) -> None:
        """Take an Event from the broker; what it does to the counts of its listeners follows its fan-out."""
        self._hub.deliver(event)
        if event.leaves_counts_open:
            self._open.append(event)
            # Once for all that come meanwhile: neighbouring Events are not joined across a turn.
            if not self._is_asked:
                self._is_asked = True
                self._hub.in_turn(self._settle_open)

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
        """Ping these connections and tell each its unread count, in one write; two queries for up to 500 users.

        A broadcast whose Event was lost is not in the inbox of whoever is connected, so it is pulled first.
        """
        users = sorted({each.user_id for each in alive if each.user_id is not None})
        for part in in_batches(users):
            with db.connection_context():
                pulling.pull(pulling.behind(part))
                counts = inbox.unread_counts(part)
            alike: dict[tuple[Format, int], list[Connection]] = {}
            for connection in alive:
                if connection.user_id in counts:
                    alike.setdefault((connection.format, counts[connection.user_id]), []).append(connection)
            for (format, unread), connections in alike.items():
                data = format.frame(format.wire.heartbeat(unread))
                self._hub.reactor.call_soon(ping, connections, data, "unread")

    def settle(self, event: Event, users: list[str]) -> None:
        """After a stored broadcast: put the item into the inboxes of `users`, and correct their badges.

        After its recall the badges only; anyone who is here and has it, but did not hear of it, is told.
        """
        if event.kind == "recalled":
            self._tell_who_did_not_hear(event, users)
        for part in in_batches(users):
            with db.connection_context():
                if event.kind == "created":
                    pulling.settle(event.data["notification"]["id"], part)
                counts = inbox.unread_counts([user_id for user_id in part if self._shows_counts(user_id)])
            for user_id, unread in counts.items():
                self._hub.deliver(Event("sync", f"user:{user_id}", {"unread": unread}))

    def _shows_counts(self, user_id: str) -> bool:
        return any(each.format.wire.counts for each in self._hub.listeners.of(f"user:{user_id}"))

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

    def _settle_open(self) -> None:
        self._is_asked = False
        for event in [self._open.popleft() for _ in range(len(self._open))]:
            users = sorted(self._hub.listeners.users_of(event.audience))
            self._run(partial(self.settle, event, users))

    def _tell_who_did_not_hear(self, event: Event, heard: list[str]) -> None:
        """A user who left the audience keeps what it got, and one device may listen to what the others do not."""
        deaf = self._hub.listeners.beside(event.audience)
        for part in in_batches(sorted(deaf)):
            with db.connection_context():
                holders = writing.holders_among(event.data["ids"][0], part)
                counts = inbox.unread_counts(holders)
            for user_id, unread in counts.items():
                # What the listening devices of this user were told by the fan-out is not told to them again.
                own = [f"connection:{each}" for each in deaf[user_id]] if user_id in heard else [f"user:{user_id}"]
                for audience in own:
                    self._hub.deliver(Event("recalled", audience, event.data | {"unread": unread}))

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            with self._context():
                work()
        except Exception:
            log.exception("counts could not be told; the next heartbeat tells them")
