"""Settling: after stored broadcasts the rows are written, and counts that the database does not confirm are corrected.

A broadcast goes out at once, with the count that follows from what each listener was told before. This comes behind
it: the item is put into the inboxes of those who heard it, and their counts are read. Who was told another one, or
none, is told the right one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from notiway.live.connection import Connection
from notiway.live.delivery import counts
from notiway.live.hub import Hub
from notiway.live.state import State
from notiway.pausing import pause
from notiway.store import inbox, writing
from notiway.store.database import db
from notiway.store.log import pulling
from notiway.store.sql import BATCH, in_batches
from notiway.values.event import Event

log = logging.getLogger(__name__)

# Broadcasts that follow each other are settled together: the rows of one user lie side by side, and what a transaction
# costs is the pages that it changes. Only where nobody waits for it: everybody was told a count, and whoever looks at
# the inbox meanwhile pulls what is missing.
TOGETHER_SECONDS = 2.0
LEAST_SECONDS = 0.001  # not worth a wait
LEAST_USERS = 20  # in one statement, however many broadcasts there are

Run = Callable[[Callable[[], None]], None]  # runs work off the reactor


@dataclass
class Heard:
    """What was told to one audience, and who heard it."""

    events: list[Event] = field(default_factory=list)
    users: set[str] = field(default_factory=set)

    @property
    def ids(self) -> list[str]:
        """The stored broadcasts among it."""
        return [event.data["notification"]["id"] for event in self.events if event.kind == "created"]


class Settling:
    """Brings inboxes and counts in line with the broadcasts that the connections of a hub heard."""

    def __init__(self, hub: Hub, run: Run, clock: Callable[[], float] | None = None) -> None:
        self._hub = hub
        self._run = run
        self._clock = clock or time.monotonic
        self._lock = threading.Lock()
        self._delivered: deque[Event] = deque()  # their listeners have not heard them yet
        self._is_asked = False
        self._open: dict[str, Heard] = {}  # by audience: heard, and not settled
        self._is_urgent = False
        self._is_running = False
        self._is_waiting = False  # for its time; something urgent does not wait with it
        self._number = 0  # of the run that is at work
        self._due_at = 0.0

    def note(self, event: Event) -> None:
        """This broadcast was given to the hub; from any thread."""
        self._delivered.append(event)
        # Once for all that come meanwhile: neighbouring Events are not joined across a turn.
        if not self._is_asked:
            self._is_asked = True
            self._hub.in_turn(self._heard)

    def settle(self, heard: dict[str, Heard]) -> None:
        """Write the rows of all who heard something, then correct their counts; in parts of some users."""
        for audience, each in heard.items():
            for event in each.events:
                if event.kind == "recalled":
                    self._tell_who_did_not_hear(event, audience, each.users)
        guests = [(each.ids, each.users) for audience, each in heard.items() if audience != "global"]
        count = sum(len(each.ids) for each in heard.values())
        users = sorted(set().union(*(each.users for each in heard.values())))
        for part in in_batches(users, max((BATCH - 1) // max(count, 1), LEAST_USERS)):
            with db.connection_context():
                if count:
                    pulling.settle(part, guests)
                unread = inbox.unread_counts([user_id for user_id in part if self._shows_counts(user_id)])
            self._hub.in_turn(self._correct, unread)

    def _heard(self) -> None:
        """On the reactor, behind the fan-out."""
        self._is_asked = False
        is_urgent = False
        told: dict[str, Heard] = {}
        for event in [self._delivered.popleft() for _ in range(len(self._delivered))]:
            told.setdefault(event.audience, Heard()).events.append(event)
            # Guests of an audience have a row only by this; and no count follows from a recall.
            is_urgent = is_urgent or event.kind == "recalled" or event.audience != "global"
        for audience, heard in told.items():
            listeners = self._hub.listeners.of(audience)
            heard.users = {each.user_id for each in listeners if each.user_id is not None}
            is_urgent = is_urgent or any(map(_lacks_its_count, listeners))
        with self._lock:
            if not self._open:
                self._due_at = self._clock() + TOGETHER_SECONDS
            for audience, heard in told.items():
                before = self._open.setdefault(audience, Heard())
                before.events += heard.events
                before.users |= heard.users
            self._is_urgent = self._is_urgent or is_urgent
            if self._is_running and not (self._is_waiting and self._is_urgent):
                return
            self._is_running, self._is_waiting = True, False
            self._number += 1
        self._run(partial(self._work, self._number))

    def _work(self, number: int) -> None:
        while heard := self._due(number):
            try:
                self.settle(heard)
            except Exception:
                log.exception("inboxes and counts of those who are connected follow with the next heartbeat")

    def _due(self, number: int) -> dict[str, Heard]:
        """What is to be settled, when it is time; nothing when all is, or when another run has taken over."""
        while True:
            with self._lock:
                if number != self._number:
                    return {}
                self._is_waiting = False
                if not self._open:
                    self._is_running = False
                    return {}
                wait = 0.0 if self._is_urgent else self._due_at - self._clock()
                if wait < LEAST_SECONDS:
                    heard, self._open, self._is_urgent = self._open, {}, False
                    return heard
                self._is_waiting = True
            pause(wait)

    def _correct(self, unread: dict[str, int]) -> None:
        """On the reactor: tell those who were told something else."""
        open_audiences = {event.audience for event in list(self._delivered)} | self._open.keys()
        wrong: dict[int, list[Connection]] = {}
        for user_id, count in unread.items():
            for each in self._hub.listeners.of(f"user:{user_id}"):
                # What it has heard since is not in this count; the pass behind it looks again.
                if _is_told_otherwise(each, count) and open_audiences.isdisjoint(each.audiences):
                    wrong.setdefault(count, []).append(each)
        for count, connections in wrong.items():
            counts.offer(connections, count)

    def _shows_counts(self, user_id: str) -> bool:
        return any(each.format.wire.counts for each in self._hub.listeners.of(f"user:{user_id}"))

    def _tell_who_did_not_hear(self, event: Event, audience: str, heard: Iterable[str]) -> None:
        """A user who left the audience keeps what it got, and one device may listen to what the others do not."""
        deaf = self._hub.listeners.beside(audience)
        for part in in_batches(sorted(deaf)):
            with db.connection_context():
                holders = writing.holders_among(event.data["ids"][0], part)
                pulling.pull(pulling.behind(holders))
                unread = inbox.unread_counts(holders)
            for user_id, count in unread.items():
                # What the listening devices of this user were told by the fan-out is not told to them again.
                own = [f"connection:{each}" for each in deaf[user_id]] if user_id in heard else [f"user:{user_id}"]
                for to in own:
                    self._hub.deliver(Event("recalled", to, event.data | {"unread": count}))


def _is_told_otherwise(connection: Connection, unread: int) -> bool:
    return connection.told != unread and connection.format.wire.counts and connection.state is State.OPEN


def _lacks_its_count(connection: Connection) -> bool:
    is_known = connection.told is not None and connection.held is None
    return not is_known and connection.format.wire.counts
