"""Settling: after stored broadcasts, counts that do not follow from what was told are read and told.

A broadcast goes out at once, with the count that follows from what each listener was told before. Its row in the inbox
is written when its user looks. This comes behind it, and is for the others: who was told no count before, whose count
was read while the broadcast was on its way, who hears a recall, and who listens without being a member.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from notiway.live.connection import Connection
from notiway.live.delivery import counts
from notiway.live.hub import Hub
from notiway.live.state import State
from notiway.store import inbox, writing
from notiway.store.database import db
from notiway.store.log import pulling
from notiway.store.sql import in_batches
from notiway.values.count import Count
from notiway.values.event import Event

log = logging.getLogger(__name__)

Run = Callable[[Callable[[], None]], None]  # runs work off the reactor


@dataclass
class Open:
    """What is to be settled."""

    users: set[str] = field(default_factory=set)  # whose count is to be read
    heard: dict[str, tuple[list[str], set[str]]] = field(default_factory=dict)  # by group or tenant: ids, and by whom
    recalled: list[tuple[Event, set[str]]] = field(default_factory=list)  # and who heard it


class Settling:
    """Brings inboxes and counts in line with the broadcasts that the connections of a hub heard."""

    def __init__(self, hub: Hub, run: Run) -> None:
        self._hub = hub
        self._run = run
        self._lock = threading.Lock()
        self._delivered: deque[Event] = deque()  # their listeners have not heard them yet
        self._is_asked = False
        self._open: Open | None = None
        self._is_running = False
        hub.look_again = self.look_again

    def note(self, event: Event) -> None:
        """This broadcast was given to the hub; from any thread."""
        self._delivered.append(event)
        # Once for all that come meanwhile: neighbouring Events are not joined across a turn.
        if not self._is_asked:
            self._is_asked = True
            self._hub.in_turn(self._heard)

    def look_again(self, connection: Connection) -> None:
        """Read its count once more: a broadcast has overtaken what it was told; on the reactor."""
        if connection.user_id is not None:
            self._add(Open({connection.user_id}))

    def settle(self, found: Open) -> None:
        """Give guests their rows, then tell the counts that nobody knows; in parts of some users."""
        for event, heard in found.recalled:
            self._tell_who_did_not_hear(event, heard)
        for audience, (ids, listeners) in found.heard.items():
            for part in in_batches(sorted(listeners)):
                with db.connection_context():
                    found.users.update(pulling.give_to_guests(audience, ids, part))
        for part in in_batches(sorted(filter(self._shows_counts, found.users))):
            with db.connection_context():
                unread = inbox.unread_counts(part)
            self._hub.in_turn(self._correct, unread)

    def _heard(self) -> None:
        """On the reactor, behind the fan-out."""
        self._is_asked = False
        found = Open()
        audiences = set()
        for event in [self._delivered.popleft() for _ in range(len(self._delivered))]:
            audiences.add(event.audience)
            if event.kind == "recalled":  # no count follows from it
                users = self._hub.listeners.users_of(event.audience)
                found.recalled.append((event, users))
                found.users |= users
            elif event.audience != "global":
                ids, users = found.heard.setdefault(event.audience, ([], self._hub.listeners.users_of(event.audience)))
                ids.append(event.data["notification"]["id"])
        for audience in audiences:
            for each in self._hub.listeners.of(audience):
                if _lacks_its_count(each) and each.user_id is not None:
                    found.users.add(each.user_id)
        self._add(found)

    def _add(self, found: Open) -> None:
        if not (found.users or found.heard or found.recalled):
            return
        with self._lock:
            if self._open is None:
                self._open = found
            else:
                self._open.users |= found.users
                self._open.recalled += found.recalled
                for audience, (ids, users) in found.heard.items():
                    before = self._open.heard.setdefault(audience, ([], set()))
                    before[0].extend(ids)
                    before[1].update(users)
            if self._is_running:
                return
            self._is_running = True
        self._run(self._work)

    def _work(self) -> None:
        while found := self._taken():
            try:
                self.settle(found)
            except Exception:
                log.exception("inboxes and counts of those who are connected follow with the next heartbeat")

    def _taken(self) -> Open | None:
        with self._lock:
            found, self._open = self._open, None
            self._is_running = found is not None
            return found

    def _correct(self, unread: dict[str, Count]) -> None:
        """On the reactor: tell those who were told something else, or nothing."""
        wrong: dict[tuple[int, int], list[Connection]] = {}
        for user_id, count in unread.items():
            for each in self._hub.listeners.of(f"user:{user_id}"):
                if _is_told_otherwise(each, count):
                    wrong.setdefault((count, count.as_of), []).append(each)
        for (number, as_of), connections in wrong.items():
            counts.offer(connections, Count(number, as_of))

    def _shows_counts(self, user_id: str) -> bool:
        return any(each.format.wire.counts for each in self._hub.listeners.of(f"user:{user_id}"))

    def _tell_who_did_not_hear(self, event: Event, heard: Iterable[str]) -> None:
        """A user who left the audience keeps what it got, and one device may listen to what the others do not."""
        deaf = self._hub.listeners.beside(event.audience)
        for part in in_batches(sorted(deaf)):
            with db.connection_context():
                holders = writing.holders_among(event.data["ids"][0], part)
                unread = inbox.unread_counts(holders)
            for user_id, count in unread.items():
                # What the listening devices of this user were told by the fan-out is not told to them again.
                own = [f"connection:{each}" for each in deaf[user_id]] if user_id in heard else [f"user:{user_id}"]
                for to in own:
                    told = event.data | {"unread": count, "as_of": count.as_of}
                    self._hub.deliver(Event("recalled", to, told))


def _is_told_otherwise(connection: Connection, unread: Count) -> bool:
    # One that has heard more than was counted knows better; if it does not, its own look follows.
    is_older = connection.told is not None and unread.as_of < connection.told_to
    return (
        not is_older and connection.told != unread and connection.format.wire.counts and connection.state is State.OPEN
    )


def _lacks_its_count(connection: Connection) -> bool:
    is_known = connection.told is not None and connection.held is None
    return not is_known and connection.format.wire.counts
