"""Speech: what the bytes of each wire say, as any client would read them, and what clients say themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from notiway.values.clock import iso

LENGTH_16, LENGTH_64 = 126, 127
_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
SEPARATOR = "\x1e"
MASK_BIT = b"\x80"
ROW = re.compile(r'class="notiway-item" data-notiway-id="([^"]+)" data-state="(\w+)"([^>]*)>.*?Select: ([^"]*)"', re.S)
CHANGE = re.compile(r'<i data-notiway-event="(\w+)"(?: data-ids="([^"]*)")?(?: data-before="([^"]*)")?')
BADGE = re.compile(r'id="notiway-badge"[^>]*? data-count="(\d+)"')


@dataclass(slots=True)
class Row:
    """An item as a client shows it."""

    id: str
    title: str
    is_read: bool
    ends_at: str | None = None
    is_kept: bool = True
    audience: str = ""


@dataclass(slots=True)
class Said:
    """One thing that the server said: `kind` and what goes with it."""

    kind: str
    rows: list[Row] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    unread: int | None = None
    before: str | None = None
    code: int = 0
    last_id: str | None = None


def decoded(text: str) -> Any:
    """The value of a JSON text without blanks around it."""
    value, end = _scan(text, 0)
    if end != len(text):
        raise AssertionError(f"this is no JSON: {text!r}")
    return value


def frames(data: bytearray) -> Iterator[tuple[int, bytes]]:
    """Whole WebSocket frames, taken out of the bytes: opcode and payload."""
    while len(data) >= 2:
        size, start = data[1], 2
        if size == LENGTH_16:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == LENGTH_64:
            size, start = int.from_bytes(data[2:10], "big"), 10
        if len(data) < start + size:
            return
        opcode, payload = data[0] & 15, bytes(data[start : start + size])
        if not data[0] & 128 or opcode not in (1, 8, 9, 10):
            raise AssertionError(f"this is no frame: {bytes(data[:20])!r}")
        del data[: start + size]
        yield opcode, payload


def frame(text: str, opcode: int = 1) -> bytes:
    """A client's frame, masked with zeros."""
    payload = text.encode()
    size = len(payload)
    head = bytes([128 | opcode]) + (bytes([128 | size]) if size < LENGTH_16 else b"\xfe" + size.to_bytes(2, "big"))
    return head + b"\0\0\0\0" + payload


def _json_row(data: dict[str, Any]) -> Row:
    return Row(data["id"], data["title"], data["read"], data["expiresAt"], data["persisted"], data["audienceId"])


def json_said(text: str) -> Iterator[Said]:
    message = decoded(text)
    data = message["data"]
    unread = data.get("unreadCount")
    match message["event"]:
        case "connected":
            yield Said("connected", unread=unread)
        case "notification":
            yield Said("item", [_json_row(data)], unread=unread)
        case "restored":
            yield Said("restored", [_json_row(each) for each in data["notifications"]], unread=unread)
        case "markedAsRead" | "markedAsUnread" | "deleted" | "recalled" as name:
            kind = {"markedAsRead": "read", "markedAsUnread": "unread"}.get(name, "deleted")
            yield Said(kind, ids=data["notificationIds"], unread=unread)
        case "markedAllAsRead":
            yield Said("read_all", before=data["before"], unread=unread)
        case "pong":
            yield Said("count", unread=unread)
        case "error":
            yield Said(f"error {data['code']}: {data['message']}")


def html_said(text: str) -> Iterator[Said]:
    badge = BADGE.search(text)
    unread = None if badge is None else int(badge[1])
    rows = [
        Row(each[1], each[4], each[2] == "read", is_kept="data-transient" not in each[3]) for each in ROW.finditer(text)
    ]
    change = CHANGE.search(text)
    kind = "item" if rows else "count"
    ids: list[str] = []
    before = None
    if 'data-notiway-event="restored"' in text:
        kind = "restored"
    elif change is not None:
        kind, ids, before = change[1], (change[2] or "").split(), change[3]
        kind = "deleted" if kind == "recalled" else kind
    yield Said(kind, rows, ids, unread, before)


def sse_said(data: bytearray) -> Iterator[Said]:
    """Whole events of a stream, taken out of the bytes."""
    while (end := data.find(b"\n\n")) >= 0:
        lines = [line.partition(": ") for line in data[:end].decode().split("\n")]
        del data[: end + 2]
        fields = {name: value for name, _, value in lines}
        if "event" in fields:
            yield _event_said(fields["event"], decoded(fields["data"]), fields.get("id"))


def _event_said(name: str, data: dict[str, Any], last_id: str | None) -> Said:
    unread = data.get("unreadCount")
    if name == "notification":
        return Said("item", [_json_row(data)], last_id=last_id)
    if name == "read":
        if data.get("all"):
            return Said("read_all", before=data["before"], unread=unread)
        return Said("read" if data["read"] else "unread", ids=[data["notificationId"]], unread=unread)
    if name == "deleted":
        return Said("deleted", ids=[data["notificationId"]], unread=unread)
    kind = "count" if name == "unread" else name
    return Said(kind, unread=unread, last_id=last_id)


def listed_row(item: Any) -> Row:
    """An item of the list, as `GET /notifications` has it."""
    return Row(item.id, item.title, item.is_read, item.expires_at and iso(item.expires_at), True, item.audience)


def signalr_said(text: str) -> Iterator[Said]:
    for part in text.split(SEPARATOR)[:-1]:
        message = decoded(part)
        match message.get("type"):
            case None:
                yield Said(f"error {message['error']}" if "error" in message else "connected")
            case 1:
                yield _call_said(message["target"], message["arguments"][0])
            case 3 if "error" in message:
                yield Said(f"error {message['error']}")
            case 7:
                yield Said("bye" if message["allowReconnect"] else "bye for ever")


def _call_said(target: str, data: dict[str, Any]) -> Said:
    if target == "EventReadStatusChange":
        return Said("read" if data["isRead"] else "unread", ids=[f"{data['audienceId']} {data['eventId']}"])
    if target == "EventDeletedStatusChange":
        return Said("deleted" if data["isDeleted"] else "undeleted", ids=[f"{data['audienceId']} {data['eventId']}"])
    if "body" not in data:
        return Said(target)
    kept = data["metadata"]
    key = f"{data['audienceId']} {data['id']}"
    return Said(
        "item",
        [
            Row(
                key,
                data["body"]["title"],
                data["isRead"],
                kept["persistedTTL"],
                kept["isPersisted"],
                data["audienceId"],
            )
        ],
    )
