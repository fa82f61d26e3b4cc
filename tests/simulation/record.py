"""Record: what the world knows of what was done, told and lost, and which differences that excuses."""

from __future__ import annotations

from typing import Any

from notiway.values.event import Event
from notiway.values.ids import id_floor

from .audiences import MEMBERS_ONLY, OPEN_GROUP, USERS
from .client import Client
from .clock import MICRO, Clock
from .database import Database
from .network import Parcel
from .process import HEARTBEAT_SECONDS, Process
from .sent import Sent

COUNTS_AGE_US = int(2.1 * HEARTBEAT_SECONDS * MICRO)
FOR_EVER_US = 1 << 62


class Record:
    """The world's memory."""

    lines: list[str] | None
    faults: list[str]
    network: Any

    def __init__(self, clock: Clock, database: Database) -> None:
        self.clock = clock
        self.database = database
        self.sent: dict[str, Sent] = {}
        self.by_id: dict[str, Sent] = {}
        self.ever: set[tuple[str, str]] = set()  # who listened to what at some time
        self.joined_at: dict[tuple[str, str], int] = {}
        self.deleted: list[tuple[str, str]] = []
        self.titles_lost: set[str] = set()
        self.titles_restored: set[str] = set()
        self.titles_removed: set[str] = set()
        self.users_disordered: set[str] = set()
        self.marked_all: dict[tuple[str, str], set[str]] = {}  # by user and newest item: what was in the inbox then
        self.users_misplaced: set[str] = set()  # some process was not told that they joined or left
        self._old_until = 0  # something changed counts, of which devices are told with the next heartbeat
        self.must_close: list[tuple[Process, Any]] = []
        self.silent: set[tuple[str, str]] = set()  # user and audience: items came without an Event
        self._deliveries = 0

    def trace(self, text: str, *values: Any) -> None:
        if self.lines is not None:
            self.lines.append(f"{self.clock.us / MICRO:10.6f} {text % values if values else text}")

    def fault(self, text: str) -> None:
        self.trace("FAULT %s", text)
        self.faults.append(text)

    # What the network tells

    def note_publish(self, process: Process, parcel: Parcel) -> None:
        if parcel.event.kind == "read_all":
            for user in parcel.users:
                self.note_read_all(user, parcel.event.data["before"])
        sent = None if parcel.title is None else self.sent.get(parcel.title)
        if sent is not None and self.network.manners.doubled:
            sent.was_doubled = True

    def lost(self, parcel: Parcel, how: str) -> None:
        self.trace("  %s %s: %s", parcel.event.kind, parcel.title or parcel.event.audience, how)
        if parcel.title is not None:
            self.titles_lost.add(parcel.title)
        if parcel.event.kind == "joined":
            for user in parcel.users:  # some process does not know that this user's devices listen
                self.joined_at[user, parcel.event.data["audience"]] = FOR_EVER_US
        if parcel.event.kind in ("joined", "left"):
            self.users_misplaced |= parcel.users
        if parcel.event.kind not in ("created", "sync"):
            self.disordered(parcel.users)

    def delivered(self, slot: int, parcel: Parcel) -> None:
        sent = None if parcel.title is None else self.sent.get(parcel.title)
        if sent is not None and parcel.event.kind == "created":
            self._deliveries += 1
            sent.places.setdefault((slot, parcel.event.audience), self._deliveries)

    def kicked(self, process: Process, event: Event) -> None:
        """These connections must not live on."""
        session = event.data.get("session")
        for connection in process.hub.listeners.of(event.audience):
            if session is None or connection.session == session:
                self.must_close.append((process, connection))

    def disordered(self, users: frozenset[str]) -> None:
        self.users_disordered |= users or frozenset(USERS)

    def listens(self, client: Client, audience: str) -> bool:
        if audience == f"group:{OPEN_GROUP}":
            return client.wishes.get(audience, False)
        if audience in MEMBERS_ONLY:
            return self.is_member(client.user, audience)
        return audience in ("global", f"user:{client.user}")

    def is_member(self, user: str, audience: str) -> bool:
        query = "SELECT 1 FROM notiway_membership WHERE user_id = ? AND audience = ?"
        return bool(self.database.rows(query, user, audience))

    def note_read_all(self, user: str, newest: str) -> None:
        query = "SELECT notification_id FROM notiway_inbox_item WHERE user_id = ? AND notification_id <= ?"
        found = (item_id for (item_id,) in self.database.rows(query, user, newest))
        self.marked_all.setdefault((user, newest), set()).update(found)

    def is_known(self, item_id: str) -> bool:
        return item_id in self.by_id or bool(
            self.database.rows("SELECT 1 FROM notiway_notification WHERE id = ?", item_id)
        )

    def may_hear(self, user: str, sent: Sent) -> bool:
        return user in sent.users or sent.audience == "global" or (user, sent.audience) in self.ever

    def was_removed(self, title: str) -> bool:
        return title in self.titles_removed

    def age_counts(self) -> None:
        self._old_until = self.clock.us + COUNTS_AGE_US

    @property
    def counts_are_old(self) -> bool:
        return self.clock.us < self._old_until

    def note_of(self, item_id: str) -> Sent:
        """What was sent under this id, even if its process did not live to tell the id."""
        # What was rolled back told nobody its id, which the next one may have got.
        if item_id not in self.by_id or self.by_id[item_id].is_undone:
            [(title, key)] = self.database.rows(
                "SELECT title, dedupe_key FROM notiway_notification WHERE id = ?", item_id
            )
            sent = self.by_id[item_id] = self.sent[title]
            sent.id, sent.public_id = item_id, key or item_id
        return self.by_id[item_id]

    def id_of(self, title: str) -> str:
        """The id of what clients show under this title; where it is stored no more, one that nobody has."""
        sent = self.sent[title]
        if not sent.id:
            found = self.database.rows("SELECT id FROM notiway_notification WHERE title = ?", title)
            return self.note_of(found[0][0]).id if found else id_floor(0)
        return sent.id
