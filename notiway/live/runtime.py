"""Runtime: what one application has running in this process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import peewee
from flask import Flask, current_app

from notiway.live.broker import Broker
from notiway.live.carriers.inbound import Mailbox
from notiway.live.connection import Connection
from notiway.live.format import Format
from notiway.live.hub import Hub
from notiway.live.limits.pace import Pace
from notiway.live.limits.seen_ids import Recent
from notiway.live.limits.throttle import Throttle
from notiway.live.reactor import Reactor
from notiway.store import inbox
from notiway.store import writing as store
from notiway.store.database import check_greenlets, db
from notiway.store.membership import UnknownUsers
from notiway.values.close_codes import CloseCode
from notiway.values.config import Config
from notiway.values.event import Event
from notiway.values.people import People

log = logging.getLogger(__name__)

KEY = "notiway"  # in app.extensions
DRAIN_SPREAD = 0.8  # part of the drain window over which closes are spread
CLOSE_SECONDS = 0.005  # spread per connection at most: a handful of tabs is closed at once
USERS_PER_QUERY = 500


@dataclass
class Runtime:
    """The parts that live as long as the process: database, broker, reactor, hub, jobs."""

    app: Flask
    config: Config
    database: peewee.Database
    broker: Broker
    reactor: Reactor
    hub: Hub
    mailbox: Mailbox
    formats: dict[str, Format]
    unknown_users: UnknownUsers
    token_secret: str
    throttle: Throttle
    people: People | None = None
    recent: Recent = field(default_factory=Recent)
    pace: Pace = field(default_factory=Pace)
    huey: Any = None
    start_jobs: Callable[[], Any] | None = None
    _jobs: Any = None
    _started: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def draining(self) -> bool:
        return self.hub.draining

    def url(self, path: str) -> str:
        """The path on this site; needs no request, for frames are rendered without one."""
        root: str = self.app.config.get("APPLICATION_ROOT") or ""
        return f"{root.rstrip('/')}{self.config.url_prefix}{path}"

    def start(self) -> None:
        """Start reactor, broker and jobs in this process; a second call does nothing.

        Called by gunicorn's hook, else by the first request: always after a fork.
        """
        with self._lock:
            if self._started:
                return
            check_greenlets()
            self._started = True
        self.hub.on_beat = lambda alive: self.mailbox.run(lambda: self._send_counts(alive))
        self.hub.on_broadcast = lambda event, users: self.mailbox.run(lambda: self._settle(event, users))
        self.reactor.start()
        self.broker.start(self.hub.deliver)
        if self.start_jobs is not None:
            self._jobs = self.start_jobs()

    def begin_drain(self) -> None:
        """Be not ready any more, so that no new work is sent here."""
        self.hub.draining = True

    def drain(self, seconds: float | None = None) -> bool:
        """Close all sockets with 1012, spread over the window; returns whether all were closed in time."""
        window = self.config.drain_seconds if seconds is None else seconds
        deadline = time.monotonic() + window
        spread = min(window * DRAIN_SPREAD, len(self.hub) * CLOSE_SECONDS)
        self.hub.close_all(CloseCode.RESTARTING, "restarting", spread)
        while len(self.hub) and time.monotonic() < deadline:
            time.sleep(0.02)
        return not len(self.hub)

    def stop(self) -> None:
        """Stop what `start` started, and let go of the queue, which may have been used without that."""
        if self._jobs is not None:
            self._jobs.stop()
        if self.huey is not None:
            self.huey.storage.close()
        if not self._started:
            return
        self.broker.close()
        self.mailbox.close()
        self.reactor.stop()

    def _send_counts(self, alive: list[Connection]) -> None:
        """Tell each of these connections its unread count; one query for up to 500 users."""
        users = sorted({each.user_id for each in alive if each.user_id is not None})
        for start in range(0, len(users), USERS_PER_QUERY):
            with db.connection_context():
                counts = inbox.unread_counts(users[start : start + USERS_PER_QUERY])
            alike: dict[tuple[Format, int], list[Connection]] = {}
            for connection in alive:
                if connection.user_id in counts:
                    alike.setdefault((connection.format, counts[connection.user_id]), []).append(connection)
            for (format, unread), connections in alike.items():
                self.hub.tell_all(connections, format.wire.heartbeat(unread), "unread")

    def _settle(self, event: Event, users: list[str]) -> None:
        """After a stored broadcast: put the item into the inboxes of those who are here, and correct their badges.

        After its recall the badges only; and who has it, is here and did not hear of it, is told.
        """
        if event.kind == "recalled":
            self._tell_former_listeners(event, users)
        for start in range(0, len(users), USERS_PER_QUERY):
            part = users[start : start + USERS_PER_QUERY]
            with db.connection_context():
                if event.kind == "created":
                    with db.atomic():
                        store.deliver_to([event.data["notification"]["id"]], part)
                counts = inbox.unread_counts(part)
            for user_id, unread in counts.items():
                self.hub.deliver(Event("sync", f"user:{user_id}", {"unread": unread}))

    def _tell_former_listeners(self, event: Event, heard: list[str]) -> None:
        """Who left the audience keeps what it got, so it must go there too."""
        others = sorted(self.hub.user_ids() - set(heard))
        for start in range(0, len(others), USERS_PER_QUERY):
            with db.connection_context():
                holders = store.holders_among(event.data["ids"][0], others[start : start + USERS_PER_QUERY])
                counts = inbox.unread_counts(holders)
            for user_id, unread in counts.items():
                self.hub.deliver(Event("recalled", f"user:{user_id}", event.data | {"unread": unread}))


def current() -> Runtime:
    """The runtime of the current application; `RuntimeError` outside an application context."""
    runtime: Runtime = current_app.extensions[KEY]
    return runtime
