"""The SSE wire: Events for EventSource (WHATWG HTML §9.2)."""

from __future__ import annotations

from typing import Any

from notiway.live.wires.json import ENCODER, notification_dict, notification_list, whereabouts
from notiway.values.event import Event

# No ends of lines in this format, but for clients that split as Python does; JSON escapes the others by itself.
ESCAPED = {ord(each): f"\\u{ord(each):04x}" for each in "\x85\u2028\u2029"}


class SseWire:
    """Renders Events as `event:`, `id:` and `data:` lines. Only stored notifications carry an id to resume from."""

    name = "sse"
    counts = True
    redraws = False

    def render(self, event: Event) -> str | None:
        """The lines of an Event; None for those that streams do not hear of."""
        data = event.data
        unread = data.get("unread")
        match event.kind:
            case "created":
                return self._notification(notification_dict(data["notification"])) + self._count(unread)
            case "restored":
                restored = notification_list(data["notifications"])
                return "".join(map(self._notification, restored)) + self._count(unread)
            case "read" | "unread":
                is_read = event.kind == "read"
                return "".join(
                    _event("read", {"notificationId": each, "read": is_read, "unreadCount": unread})
                    for each in data["ids"]
                ) + self._count(unread)
            case "read_all":
                changed = {"all": True, "before": data.get("before"), "read": True, "unreadCount": unread}
                changed |= {"press": data["press"]} if "press" in data else {}
                return _event("read", changed) + self._count(unread)
            case "deleted" | "recalled":
                return "".join(
                    _event("deleted", {"notificationId": each, "unreadCount": unread, **whereabouts(data)})
                    for each in data["ids"]
                ) + self._count(unread)
            case "answered":
                return "".join(
                    _event("answered", {"notificationId": each, "answer": data["answer"]}) for each in data["ids"]
                )
            case "settings":
                return _event("settings", data)
            case "sync" | "joined" | "left":
                return self._count(unread)
            case _:
                return None

    def connected(self, connection_id: str, unread: int, newest_id: str | None = None) -> str:
        """The first events: the connection's id, the count, and the id to resume from if nothing else ever comes."""
        first = _event("connected", {"connectionId": connection_id, "unreadCount": unread})
        return first + _event("unread", {"unreadCount": unread}, newest_id)

    def heartbeat(self, unread: int) -> str:
        return self._count(unread)

    def error(self, code: str, text: str) -> None:
        """Nothing: a stream takes no requests."""

    def incomplete(self, audience: str, missing: int) -> None:
        """Nothing: a stream subscribes to nothing, and says `reset`."""

    def reset(self, newest_id: str) -> str:
        """Tell the client that what it holds may have holes: it must load its list anew, and resume from this id."""
        return _event("reset", {}, newest_id)

    def _notification(self, full: dict[str, Any]) -> str:
        values = {**full, "body": full["message"], "payload": full["body"]}
        return _event("notification", values, full["id"] if full["persisted"] else None)

    def _count(self, unread: int | None) -> str:
        return "" if unread is None else _event("unread", {"unreadCount": unread})


def _event(name: str, data: dict[str, Any], event_id: str | None = None) -> str:
    line = f"id: {event_id}\n" if event_id else ""
    text = ENCODER.encode(data).translate(ESCAPED)
    return f"event: {name}\n{line}data: {text}\n\n"
