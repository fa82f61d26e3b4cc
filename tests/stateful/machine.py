"""The machine: two users with four devices do what people do, in any order; after each step all of them agree."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from jinja2 import FileSystemBytecodeCache

from notiway.gateway.envelope import parse
from notiway.gateway.publish import publish_envelopes
from notiway.values.audience import Audience
from notiway.verbs import membership
from notiway.verbs.recall import recall
from notiway.verbs.send import send_notification
from stateful.book import Book, Note
from stateful.by_hand import SLICES, Process, World, migrate, time_by_hand
from stateful.devices import Device, HtmlDevice, JsonDevice, SignalRDevice, SseDevice

USERS = ("ada", "bob")
GROUP, TENANT = Audience.group("ops", tenant="acme"), Audience.tenant("acme")
BROADCASTS = {audience.key: audience for audience in (Audience.everyone(), GROUP, TENANT)}
TRUTH = (
    "SELECT n.id, n.audience, n.dedupe_key, i.read_at IS NOT NULL AS is_read FROM notiway_inbox_item i"
    " JOIN notiway_notification n ON n.id = i.notification_id WHERE i.user_id = ?1 AND i.deleted_at IS NULL"
    " AND n.recalled_at IS NULL AND (n.expires_at IS NULL OR n.expires_at > ?2)"
    # What has no row until the user looks.
    " UNION ALL SELECT n.id, n.audience, n.dedupe_key, 0 FROM notiway_notification n"
    " WHERE n.audience IN (SELECT 'global' UNION ALL SELECT audience FROM notiway_membership WHERE user_id = ?1)"
    " AND n.recalled_at IS NULL AND (n.expires_at IS NULL OR n.expires_at > ?2)"
    " AND NOT EXISTS (SELECT 1 FROM notiway_inbox_item i WHERE i.user_id = ?1 AND i.notification_id = n.id)"
)
METHODS = {
    "read": ("PUT", "/read"),
    "unread": ("DELETE", "/read"),
    "delete": ("DELETE", ""),
    "restore": ("POST", "/restore"),
    "archive": ("PUT", "/archive"),
    "unarchive": ("DELETE", "/archive"),
    "snooze": ("PUT", "/snooze"),
    "unsnooze": ("DELETE", "/snooze"),
}
BACK = ("restore", "unarchive", "unsnooze")
BY_HTTP = 4  # a way that no user has so many devices for

users = st.sampled_from(USERS)
groups = st.sampled_from([GROUP, TENANT])
lifetimes = st.sampled_from([None, None, None, 0.5, 20.0, 3_600.0])  # seconds
hurries = st.booleans()  # whether the next step begins before this one has come to its end
actions = st.sampled_from(["read", "unread"])
ways = st.integers(0, 4)  # which of the user's devices does it, or none: then it is done over HTTP


class Devices(RuleBasedStateMachine):
    """Ada has a page, a WebSocket client and a SignalR client, Bob a stream."""

    compiled: ClassVar[FileSystemBytecodeCache]
    migrated: ClassVar[Path]
    notes = Bundle("notes")
    deleted = Bundle("deleted")  # by whom, and which
    presses = Bundle("presses")  # of "mark all": whose, its number in the book, and what undoes it

    @classmethod
    def prepare(cls, folder: Path) -> None:
        """Templates and tables, for all runs."""
        cls.compiled = FileSystemBytecodeCache(str(folder))
        cls.migrated = migrate(folder, cls.compiled)

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.clock = self.stack.enter_context(time_by_hand())
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.file = folder / "live.db"
        shutil.copy(self.migrated, self.file)
        self.world = World(f"sqlite:///{self.file}", self.clock, self.compiled)
        self.stack.callback(self.world.close)
        self.book = Book(USERS)
        self.devices: list[Device] = [HtmlDevice("ada"), JsonDevice("ada"), SignalRDevice("ada"), SseDevice("bob")]
        self.online: set[Device] = set()
        self.passing: dict[Device, list[str]] = {}
        self.count = 0
        self.is_settled = True
        for device in self.devices:
            self._connect(device)

    def teardown(self) -> None:
        for device in self.devices:
            if device.sock is not None:
                device.sock.close()
        self.stack.close()

    # What happens

    @rule(
        target=notes,
        to=st.sampled_from([("ada",), ("bob",), USERS]),
        lifetime=lifetimes,
        stored=st.booleans(),
        hurry=hurries,
    )
    def send(self, to: tuple[str, ...], lifetime: float | None, stored: bool, hurry: bool) -> Any:
        title = self._title()
        expires_at = None if lifetime is None else self.clock.now + lifetime
        moment = None if expires_at is None else datetime.fromtimestamp(expires_at, UTC)
        row = self.world.call(send_notification, list(to), title, persist=stored, expires_at=moment if stored else None)
        return self._sent(row.id, title, f"user:{to[0]}", to, expires_at, stored, hurry)

    @rule(
        target=notes,
        key=st.sampled_from([*BROADCASTS, "user:ada"]),
        lifetime=lifetimes,
        stored=st.booleans(),
        hurry=hurries,
    )
    def publish(self, key: str, lifetime: float | None, stored: bool, hurry: bool) -> Any:
        """A producer's envelope: a broadcast mostly, known by the producer's id."""
        title = self._title()
        audience = BROADCASTS.get(key) or Audience.parse(key)
        seconds = 1_000_000.0 if lifetime is None else lifetime
        expires_at = self.clock.now + seconds
        metadata = {"isPersisted": stored}
        if stored:
            metadata["persistedTTL"] = datetime.fromtimestamp(expires_at, UTC).isoformat()
        routing = {
            "audienceType": int(audience.type),
            "audienceValue": audience.value or None,
            "tenantId": audience.tenant_id,
        }
        raw = {
            "id": f"order-{title}",
            "type": "order",
            "body": {"title": title},
            "routing": routing,
            "metadata": metadata,
        }
        envelope = parse(raw, "shop", round(self.clock.now * 1000))
        [outcome] = self.world.call(lambda: publish_envelopes(self.world.process.runtime, [envelope]))
        to = () if audience.is_broadcast else (audience.value,)
        return self._sent(outcome.notification_id, title, key, to, expires_at, stored, hurry)

    @rule(user=users, key=notes, action=actions, way=ways)
    def change(self, user: str, key: str, action: str, way: int) -> None:
        self._change(user, key, action, way)

    @rule(target=deleted, user=users, key=notes, way=ways)
    def delete(self, user: str, key: str, way: int) -> Any:
        return (user, key) if self._change(user, key, "delete", way) else multiple()

    @rule(which=deleted, way=ways)
    def restore(self, which: tuple[str, str], way: int) -> None:
        user, key = which
        self._change(user, key, "restore", way)

    @rule(user=users, key=notes, action=st.sampled_from(["archive", "unarchive", "unsnooze"]), way=ways)
    def put_away_or_back(self, user: str, key: str, action: str, way: int) -> None:
        self._change(user, key, action, way)

    @rule(user=users, key=notes, seconds=st.sampled_from([0.77, 17.35, 3_007.77]), way=ways, waits=st.booleans())
    def snooze(self, user: str, key: str, seconds: float, way: int, waits: bool) -> None:
        self._settle()
        self._looked(user)
        until = round((self.clock.now + seconds) * 1000)
        can = self.book.snooze(user, key, until / 1000, self.clock.now)
        self._ask(user, key, "snooze", way, can, until=until)
        if waits:
            self.time_passes(seconds + 0.1)

    @rule(target=presses, user=users, way=ways, before=st.none() | notes)
    def mark_all(self, user: str, way: int, before: str | None) -> Any:
        self._settle()
        self._looked(user)
        self.count += 1
        marked = self.book.mark_all(user, before, self.count, self.clock.now)
        mine = [device for device in self.devices if device.user_id == user and device in self.online]
        if way < len(mine) and mine[way].mark_all(before):
            return multiple()
        asked = {} if before is None else {"before": before}
        status, body = self.world.process.request("PUT", "/notifications/read-all", user, json=asked)
        assert status == 200, body
        press = json.loads(body)["press"]
        assert (press is not None) == marked
        return (user, self.count, press) if marked else multiple()

    @rule(press=presses, reads_one=st.booleans())
    def undo_mark_all(self, press: tuple[str, int, str], reads_one: bool) -> None:
        """Perhaps after one of what it marked was read singly, which then stays read."""
        user, number, text = press
        self._settle()
        mine = self.book.inboxes[user].items()
        marked = sorted(key for key, copy in mine if copy.press == number and copy.place == "inbox")
        if reads_one and marked:
            self._change(user, marked[0], "read", BY_HTTP)
        self.book.undo_mark_all(user, number)
        status, body = self.world.process.request("DELETE", "/notifications/read-all", user, json={"press": text})
        assert status == 200, body

    @rule(user=users, state=st.sampled_from(["all", "unread", "read", "archived", "snoozed"]))
    def look_at_a_list(self, user: str, state: str) -> None:
        """What each list shows, and that the count is that of the list."""
        self._settle()
        self._looked(user)
        now = self.clock.now
        inbox = self.book.visible(user, now)
        wanted = inbox if state in ("all", "unread", "read") else self.book.put_away(user, state, now)
        if state in ("unread", "read"):
            wanted = {key: is_read for key, is_read in inbox.items() if is_read is (state == "read")}
        _, body = self.world.process.request("GET", f"/notifications?state={state}", user)
        answer = json.loads(body)
        shown = {each["id"]: each["read"] for each in answer["notifications"]}
        assert shown.items() <= wanted.items()
        assert len(shown) == min(20, len(wanted))
        assert answer["unreadCount"] == self.book.unread(user, now)

    @rule(user=users, kind=st.sampled_from(["name", "state"]))
    def mark_what_a_filter_shows(self, user: str, kind: str) -> None:
        """All that a filtered page shows, and nothing else."""
        self._looked(user)
        query = "state=unread" if kind == "state" else "text=n1"
        _, body = self.world.process.request("GET", f"/notifications?{query}", user)
        ids = [each["id"] for each in json.loads(body)["notifications"]]
        if not ids:
            return
        self.count += 1
        self.book.mark_some(user, ids, self.count)
        asked = {"action": "read", "ids": ids}
        status, body = self.world.process.request("POST", "/notifications/bulk", user, json=asked)
        assert status == 200, body

    @rule(key=consumes(notes), hurry=hurries)
    def recall(self, key: str, hurry: bool) -> None:
        self.book.notes[key].is_recalled = True
        assert self.world.call(recall, key, by="grace")
        self.is_settled = not hurry

    @rule(user=users, audience=groups, hurry=hurries)
    def join(self, user: str, audience: Audience, hurry: bool) -> None:
        self.world.call(membership.join, user, audience)
        self.book.memberships[user].add(audience.key)
        self._looked(user)
        self.is_settled = not hurry

    @rule(user=users, audience=groups, hurry=hurries)
    def leave(self, user: str, audience: Audience, hurry: bool) -> None:
        self._looked(user)
        self.world.call(membership.leave, user, audience)
        self.book.memberships[user].discard(audience.key)
        self.is_settled = not hurry

    @rule(seconds=st.sampled_from([0.1, 1.0, 30.0, 4_000.0]))
    def time_passes(self, seconds: float) -> None:
        """What is over goes from the badges with the next heartbeat."""
        self._settle()
        self.clock.now += seconds
        self.process.settle()
        for _ in range(SLICES):
            self.process.runtime.badges.beat()

    @rule(number=st.integers(0, 3))
    def disconnect(self, number: int) -> None:
        device = self.devices[number]
        device.disconnect(self.process)
        self.online.discard(device)
        self._look_online()

    @rule(number=st.integers(0, 3))
    def open_page(self, number: int) -> None:
        """A page is loaded, or a list, and its socket is not there yet."""
        device = self.devices[number]
        if device not in self.online:
            device.load(self.process)
            if device.wire != "signalr":
                self._looked(device.user_id)

    @rule(number=st.integers(0, 3))
    def connect(self, number: int) -> None:
        device = self.devices[number]
        if device not in self.online:
            self._connect(device)

    @rule(gracefully=st.booleans(), back=st.sets(st.integers(0, 3)))
    def restart(self, gracefully: bool, back: set[int]) -> None:
        """The process ends and another begins; some devices come back at once."""
        if gracefully:
            self._look_online()
        self.world.restart(gracefully=gracefully)
        for device in self.online:
            device.hear(self.process)
            assert device.sock is None
        self.online.clear()
        for number in sorted(back):
            self._connect(self.devices[number])

    # What must hold

    @invariant()
    def all_agree(self) -> None:
        if not self.is_settled:
            self.is_settled = True
            return
        self._settle()
        for user in USERS:
            self._looked(user)  # a row or not: it is there for the user
            rows = self._truth(user)
            assert {row["id"]: bool(row["is_read"]) for row in rows} == self.book.visible(user, self.clock.now), user
            for device in self.online:
                if device.user_id == user:
                    self._compare(device, rows)

    def _compare(self, device: Device, rows: list[dict[str, Any]]) -> None:
        assert device.sock is not None, f"{device.name} was let go"
        shown = device.shown(self.clock.now)
        if device.wire == "html":  # a row stays on a page that is open
            shown = {key: is_read for key, is_read in shown.items() if self.book.notes[key].stands(self.clock.now)}
        if device.wire == "signalr":  # replayed is what was sent to the audiences that it hears now
            hears = self.book.hears(device.user_id)
            rows = [row for row in rows if row["audience"] in hears]
            shown = {key: is_read for key, is_read in shown.items() if key[0] in hears}
        assert shown == {device.key_of(row): bool(row["is_read"]) for row in rows}, device.name
        if device.badge is not None:
            assert device.badge == self.book.unread(device.user_id, self.clock.now), device.name
        assert device.passing == self.passing[device], device.name

    # How it is done

    @property
    def process(self) -> Process:
        return self.world.process

    def _title(self) -> str:
        self.count += 1
        return f"n{self.count}"

    def _sent(
        self,
        key: str,
        title: str,
        audience: str,
        to: tuple[str, ...],
        expires_at: float | None,
        stored: bool,
        hurry: bool,
    ) -> Any:
        self.is_settled = not hurry
        if stored:
            self.book.sent(Note(key, audience, to, expires_at))
            return key
        for device in self.online:
            if device.user_id in to or (not to and audience in self.book.hears(device.user_id)):
                self.passing[device].append(title)
        return multiple()

    def _change(self, user: str, key: str, action: str, way: int) -> bool:
        """Over HTTP, or by what one of the user's devices says; whether that could be done."""
        self._settle()
        self._looked(user)
        can = self.book.change(action, user, key, self.clock.now)
        if action in BACK:
            self._came_back(user, key)
        return self._ask(user, key, action, way, can)

    def _ask(self, user: str, key: str, action: str, way: int, can: bool, **more: Any) -> bool:
        row = self._row(key)
        mine = [device for device in self.devices if device.user_id == user and device in self.online]
        if way < len(mine) and mine[way].act(action, row, **more):
            return can
        method, rest = METHODS[action]
        status, body = self.world.process.request(method, f"/notifications/{key}{rest}", user, json=more)
        assert status == (200 if can else 404), (status, body)
        return can

    def _came_back(self, user: str, key: str) -> None:
        for device in self.devices:
            if device.user_id == user and device not in self.online:
                device.returned.add(key)

    def _connect(self, device: Device) -> None:
        self._looked(device.user_id)
        self._settle()
        device.connect(self.process)
        device.returned.clear()
        self.online.add(device)
        self.passing[device] = []
        self._hear()
        self._look_online()

    def _settle(self) -> None:
        self.process.settle()
        for user, key in self.book.wake(self.clock.now):
            self._came_back(user, key)
        self._hear()
        self._look_online()

    def _hear(self) -> None:
        for device in self.online:
            device.hear(self.process)

    def _looked(self, user: str) -> None:
        self.book.looked(user, self.clock.now)

    def _look_online(self) -> None:
        for device in self.online:
            self._looked(device.user_id)

    def _truth(self, user: str) -> list[dict[str, Any]]:
        with sqlite3.connect(self.file) as opened:
            opened.row_factory = sqlite3.Row
            rows = opened.execute(TRUTH, (user, round(self.clock.now * 1000))).fetchall()
        opened.close()
        return [
            dict(row) | {"audience": f"user:{user}" if row["audience"] == "users" else row["audience"]} for row in rows
        ]

    def _row(self, key: str) -> dict[str, Any]:
        with sqlite3.connect(self.file) as opened:
            opened.row_factory = sqlite3.Row
            row = opened.execute(
                "SELECT id, audience, dedupe_key FROM notiway_notification WHERE id = ?", (key,)
            ).fetchone()
        opened.close()
        return dict(row)
