"""Devices: clients that do as the documentation tells them, each with a model of what its user sees on it.

A device holds items and a badge. When its connection was lost it comes back with what its wire resumes by, which must
bring everything that is new; then it loads the list again, for what was read or deleted meanwhile.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

from wsproto.frame_protocol import FrameProtocol, Opcode

from stateful.by_hand import UPGRADE, Process

PAGE = {"X-User": "", "Accept": "text/html", "HX-Request": "true", "HX-Request-Type": "partial"}
SEPARATOR = "\x1e"
LOWEST = "00000000-0000-7000-8000-000000000000"  # what a page that shows nothing resumes from


@dataclass
class Held:
    """An item as a device shows it. `expires_at` in seconds since the epoch; None for never, or not told."""

    is_read: bool
    expires_at: float | None = None


class Device:
    """What all have in common: a socket, items, a badge, and what was heard of without being stored."""

    wire = ""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.name = f"{user_id}'s {self.wire}"
        self.sock: socket.socket | None = None
        self.items: dict[Any, Held] = {}
        self.badge: int | None = None
        self.place = ""  # the exact cursor of the list that was loaded last
        self.newest = self.known = ""  # the newest id now, and when the connection was opened
        self.is_loaded = False
        self.passing: list[str] = []  # titles of what is stored nowhere
        self.arrived: list[Any] = []  # what this connection was told of as new
        self.returned: set[str] = set()  # ids of what came back while it was away: the list tells, no resume does

    # What a test does with it

    def load(self, process: Process) -> None:
        """Open the page, or load the list: what is there now."""
        self.items, self.badge = self.fetch(process)
        self.newest = max(self.items, default="")
        self.is_loaded = True

    def connect(self, process: Process) -> None:
        """Open a connection that resumes, and hear what it brings."""
        if not self.is_loaded:
            self.load(process)
        self.passing, self.arrived, self.known = [], [], self.newest
        self.dial(process)
        process.settle()
        self.hear(process)
        self.reconcile(process)

    def reconcile(self, process: Process) -> None:
        """The list again. What is newer than all that was known must have come by itself."""
        fetched, self.badge = self.fetch(process)
        silent = [key for key in fetched if key not in self.items and key > self.known and key not in self.returned]
        assert not silent, f"{self.name} was not told of {silent} when it came back"
        self.items = fetched

    def disconnect(self, process: Process) -> None:
        if self.sock is not None:
            self.sock.close()
        self.sock = None
        process.settle()

    def hear(self, process: Process) -> None:
        """Take in what has come; answer what must be answered."""
        while self.sock is not None and (data := self._received()):
            self.take(data)
            process.settle()

    def shown(self, now: float) -> dict[Any, bool]:
        """What is not over: by key, whether it is read."""
        alive = {key: held for key, held in self.items.items() if held.expires_at is None or held.expires_at > now}
        return {key: held.is_read for key, held in alive.items()}

    def key_of(self, row: dict[str, Any]) -> Any:
        """What this device knows an item of the database by."""
        return row["id"]

    # What each wire does in its own way

    def fetch(self, process: Process) -> tuple[dict[Any, Held], int]:
        items: dict[Any, Held] = {}
        after = ""
        while True:
            path = f"/api/notifications?since={after}&limit=200"
            status, body = process.request("GET", path, self.user_id)
            assert status == 200, body
            answer = json.loads(body)
            items |= {each["id"]: _held(each) for each in answer["notifications"]}
            after, self.place = answer["nextCursor"], answer["cursor"]
            if after is None:
                return items, answer["unreadCount"]

    def dial(self, process: Process) -> None:
        raise NotImplementedError

    def take(self, data: bytes) -> None:
        raise NotImplementedError

    def act(self, action: str, row: dict[str, Any], **more: Any) -> bool:
        """Ask for a change over the connection; False where this wire has no way to."""
        return False

    def mark_all(self, before: str | None) -> bool:
        return False

    # How they take in changes

    def came(self, key: Any, title: str, held: Held, *, stored: bool, is_news: bool = True) -> None:
        if not stored:
            self.passing.append(title)
            return
        if is_news:
            assert key not in self.arrived, f"{self.name} was told of {key} twice"
            self.arrived.append(key)
        self.items[key] = held
        if isinstance(key, str):
            self.newest = max(self.newest, key)

    def set_states(self, keys: list[Any], is_read: bool) -> None:
        for key in keys:
            if key in self.items:
                self.items[key].is_read = is_read

    def drop(self, keys: list[Any]) -> None:
        for key in keys:
            self.items.pop(key, None)

    def read_up_to(self, before: str | None) -> None:
        self.set_states([key for key in self.items if not before or key <= before], True)

    def _received(self) -> bytes:
        assert self.sock is not None
        try:
            return self.sock.recv(1 << 20) or self._ended()
        except BlockingIOError:
            return b""
        except OSError:
            return self._ended()

    def _ended(self) -> bytes:
        assert self.sock is not None
        self.sock.close()
        self.sock = None
        return b""


class SocketDevice(Device):
    """On a WebSocket: frames from the server in one piece, frames to it masked."""

    path = ""

    def dial(self, process: Process) -> None:
        self._head = b""
        self._protocol = FrameProtocol(client=True, extensions=[])
        self._text = ""
        self.sock = process.open(self.path.format(since=self.newest or LOWEST), self.user_id, UPGRADE)

    def take(self, data: bytes) -> None:
        if not self._head.endswith(b"\r\n\r\n"):
            head, end, data = (self._head + data).partition(b"\r\n\r\n")
            self._head = head + end
        self._protocol.receive_bytes(data)
        for frame in self._protocol.received_frames():
            if frame.opcode is Opcode.PING:
                self._send(self._protocol.pong(frame.payload))
            elif frame.opcode is Opcode.CLOSE:
                self._ended()
                return
            elif frame.opcode is Opcode.TEXT:
                self._text += frame.payload
                if frame.message_finished and frame.frame_finished:
                    text, self._text = self._text, ""
                    self.message(text)

    def message(self, text: str) -> None:
        raise NotImplementedError

    def say(self, text: str) -> None:
        self._send(FrameProtocol(client=True, extensions=[]).send_data(text))

    def _send(self, data: bytes) -> None:
        if self.sock is not None:
            self.sock.sendall(bytes(data))


ACTIONS = {"read": "markAsRead", "unread": "markAsUnread"}


class Acting(SocketDevice):
    """Says what it wants in JSON, as all WebSocket clients do."""

    def act(self, action: str, row: dict[str, Any], **more: Any) -> bool:
        self.say(json.dumps({"action": ACTIONS.get(action, action), "notificationId": row["id"], **more}))
        return True

    def mark_all(self, before: str | None) -> bool:
        self.say(json.dumps({"action": "markAllAsRead", "before": before}))
        return True


class JsonDevice(Acting):
    wire = "json"
    path = "/ws/notifications?since={since}"

    def message(self, text: str) -> None:
        message = json.loads(text)
        data = message["data"]
        ids = data.get("notificationIds", [])
        match message["event"]:
            case "notification":
                self.came(data["id"], data["title"], _held(data), stored=data["persisted"])
            case "restored":
                for each in data["notifications"]:
                    self.came(each["id"], each["title"], _held(each), stored=True, is_news=False)
            case "markedAsRead":
                self.set_states(ids, True)
            case "markedAsUnread":
                self.set_states(ids, False)
            case "markedAllAsRead":
                self.read_up_to(data["before"])
            case "deleted" | "recalled":
                self.drop(ids)
        if data.get("unreadCount") is not None:
            self.badge = data["unreadCount"]


class HtmlDevice(Acting):
    """A page: rows in a list, and what its scripts make of the frames."""

    wire = "html"
    path = "/ws/notifications?format=html&since={since}"

    def fetch(self, process: Process) -> tuple[dict[Any, Held], int]:
        headers = PAGE | {"X-User": self.user_id}
        status, body = process.page("/notifications/recent", headers)
        assert status == 200, body
        parts = list(_parts(body.decode()))
        rows = {part["data-notiway-id"]: _row(part) for part in parts if "data-notiway-id" in part}
        [badge] = [int(part["data-count"]) for part in parts if "data-count" in part]
        return rows, badge

    def message(self, text: str) -> None:
        kind = ""
        for part in _parts(text):
            ids = part.get("data-ids", "").split()
            kind = part.get("data-notiway-event", kind if "data-notiway-id" in part else "")
            match kind:
                case "read" | "unread":
                    self.set_states(ids, kind == "read")
                case "read_all":
                    self.read_up_to(part.get("data-before"))
                case "deleted" | "recalled":
                    self.drop(ids)
            if "title" in part:  # a row; the banner of an announcement, which goes before its row, has the same id
                is_news = kind != "restored"
                stored = "data-transient" not in part
                self.came(part["data-notiway-id"], part["title"], _row(part), stored=stored, is_news=is_news)
            if "data-count" in part:
                self.badge = int(part["data-count"])


class SseDevice(Device):
    wire = "sse"

    def __init__(self, user_id: str) -> None:
        super().__init__(user_id)
        self.last_event_id = ""

    def load(self, process: Process) -> None:
        super().load(process)
        self.last_event_id = self.newest

    def dial(self, process: Process) -> None:
        self._waiting = b""
        self._is_reset = False
        headers = {"Last-Event-ID": self.last_event_id} if self.last_event_id else {}
        self._is_exact = not self.last_event_id
        query = "" if self.last_event_id else f"?lastEventId={self.place}"
        self.sock = process.open(f"/api/notifications/stream{query}", self.user_id, headers)

    def reconcile(self, process: Process) -> None:
        if not self._is_reset:
            super().reconcile(process)
        else:
            self.items, self.badge = self.fetch(process)

    def take(self, data: bytes) -> None:
        *blocks, self._waiting = (self._waiting + data).split(b"\n\n")
        for block in blocks:
            fields = dict(line.split(": ", 1) for line in block.decode().split("\n") if ": " in line)
            if "event" in fields:
                self._event(fields["event"], json.loads(fields["data"]))
            self.last_event_id = fields.get("id", self.last_event_id)

    def _event(self, name: str, data: dict[str, Any]) -> None:
        match name:
            case "notification":
                is_news = data["id"] not in self.items  # one that was restored comes under the same name
                self.came(data["id"], data["title"], _held(data), stored=data["persisted"], is_news=is_news)
            case "read" if data.get("all"):
                self.read_up_to(data["before"])
            case "read":
                self.set_states([data["notificationId"]], data["read"])
            case "deleted":
                self.drop([data["notificationId"]])
                self.arrived = [key for key in self.arrived if key != data["notificationId"]]
            case "reset":
                assert not self._is_exact, f"{self.name} named the end of its list"
                self._is_reset = True
        if data.get("unreadCount") is not None:
            self.badge = data["unreadCount"]


class SignalRDevice(SocketDevice):
    """Knows items by audience and the producer's id, counts for itself, and is told everything at each connect."""

    wire = "signalr"

    def key_of(self, row: dict[str, Any]) -> Any:
        return row["audience"], row["dedupe_key"] or row["id"]

    def load(self, process: Process) -> None:
        self.is_loaded = True

    def dial(self, process: Process) -> None:
        self.items = {}
        status, body = process.request("POST", "/hub/negotiate?negotiateVersion=1", self.user_id)
        assert status == 200, body
        self.path = f"/hub?id={json.loads(body)['connectionToken']}"
        super().dial(process)
        self.say(json.dumps({"protocol": "json", "version": 1}) + SEPARATOR)

    def reconcile(self, process: Process) -> None:
        """Nothing to load: the replay was everything."""

    def act(self, action: str, row: dict[str, Any], **more: Any) -> bool:
        target = {"read": "MarkAsRead", "delete": "MarkAsDeleted"}.get(action)
        if target is None:
            return False
        arguments = list(self.key_of(row))
        self.say(json.dumps({"type": 1, "invocationId": "1", "target": target, "arguments": arguments}) + SEPARATOR)
        return True

    def message(self, text: str) -> None:
        for part in text.rstrip(SEPARATOR).split(SEPARATOR):
            message = json.loads(part)
            if message.get("type") == 6:
                self.say(part + SEPARATOR)
            if message.get("type") == 1:
                self._invoked(message["target"], message["arguments"][0])
        self.badge = None

    def _invoked(self, target: str, argument: dict[str, Any]) -> None:
        key = argument["audienceId"], argument.get("eventId") or argument.get("id")
        match target:
            case "EventReadStatusChange":
                self.set_states([key], argument["isRead"])
            case "EventDeletedStatusChange" if argument["isDeleted"]:
                self.drop([key])
            case "EventDeletedStatusChange":
                # The whole of it follows, for whoever does not know it.
                self.arrived = [each for each in self.arrived if each != key]
            case _:
                metadata = argument["metadata"]
                held = Held(argument["isRead"], _moment(metadata["persistedTTL"]))
                title = (argument["body"] or {}).get("title", "")
                self.came(key, title, held, stored=metadata["isPersisted"])


def _held(values: dict[str, Any]) -> Held:
    return Held(values["read"], _moment(values["expiresAt"]))


def _moment(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()


def _row(part: dict[str, str]) -> Held:
    return Held(part["data-state"] == "read")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if values.keys() & {"data-notiway-id", "data-notiway-event", "data-count"}:
            self.parts.append(values)
        elif tag == "input" and "aria-label" in values and self.parts:
            self.parts[-1].setdefault("title", values["aria-label"].removeprefix("Select: "))
        elif values.get("class") == "notiway-item__title":
            self.parts[-1].setdefault("title", "")
            self._is_title = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "hx-partial":
            self.parts.append({})

    def handle_data(self, data: str) -> None:
        if self.parts and self.parts[-1].get("title") == "" and (text := data.strip()) and text[-1] not in ",:":
            self.parts[-1]["title"] = text


def _parts(text: str) -> Iterator[dict[str, str]]:
    """The elements of a frame that say something, in their order; an empty one where a group of them ends."""
    reader = _Reader()
    reader.feed(text)
    return iter(reader.parts)


WIRES: dict[str, type[Device]] = {each.wire: each for each in (JsonDevice, HtmlDevice, SseDevice, SignalRDevice)}
