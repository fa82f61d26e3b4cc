"""The JSON wire: what WebSocket clients and JSON answers see (CONTRACT §4)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any

from notiway.values.clock import iso
from notiway.values.event import Event

log = logging.getLogger(__name__)

NOTHING: dict[str, Any] = {}
ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)  # json.dumps would make one for each text


def notification_dict(item: dict[str, Any]) -> dict[str, Any]:
    """An item as JSON clients see it: `createdAt` in ISO 8601, `timestamp` in milliseconds."""
    details = item.get("details") or NOTHING  # an older version sends none
    actor = details.get("actor") or NOTHING
    return {
        "id": item["id"],
        "name": item["name"],
        "type": item["type"],
        "priority": item["priority"],
        "title": item["title"],
        "message": item["message"],
        "body": item["body"],
        "actionUrl": item["action_url"],
        "groupKey": item["group_key"],
        "source": item["source"],
        "actor": item["actor"],
        "actorImage": actor.get("image"),
        "actorUrl": actor.get("url"),
        "icon": details.get("icon"),
        "category": details.get("category"),
        "image": details.get("image"),
        "actions": details.get("actions", []),
        "answer": item.get("answer"),
        "producer": item["producer"],
        "audienceId": item["audience"],
        "persisted": item["persisted"],
        "createdAt": iso(item["created_at"]),
        "timestamp": item["created_at"],
        "expiresAt": None if item["expires_at"] is None else iso(item["expires_at"]),
        "seen": item["seen_at"] is not None,
        "read": item["read_at"] is not None,
        "archived": item.get("archived_at") is not None,
        "snoozedUntil": item.get("snoozed_until"),
    }


def whereabouts(data: dict[str, Any]) -> dict[str, Any]:
    """Where items went that left the list without being deleted, as clients are told: beside the message `deleted`."""
    if data.get("archived"):
        return {"archived": True}
    return {} if data.get("snoozed_until") is None else {"snoozedUntil": data["snoozed_until"]}


def notification_list(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Several of them; one that cannot be told is logged and left out, the others come."""
    told = []
    for item in items:
        try:
            told.append(notification_dict(item))
        except Exception:
            log.exception(
                "notification %s is left out: no JSON can be made of it. Correct or remove it", item.get("id")
            )
    return told


class JsonWire:
    """Events as `{"event": …, "data": …}`. A change of several items is one line each: see `render`."""

    name = "json"
    counts = True
    redraws = False

    def render(self, event: Event) -> str | None:
        """The text of an Event; None for those that JSON clients do not hear of."""
        data = event.data
        unread = data.get("unread")
        match event.kind:
            case "created":
                values = notification_dict(data["notification"])
                return _message("notification", values if unread is None else {**values, "unreadCount": unread})
            case "restored":
                ids = [item["id"] for item in data["notifications"]]
                restored = notification_list(data["notifications"])
                woken = {"woken": True} if data.get("woken") else {}
                return _message("restored", {**_ids(ids), "notifications": restored, "unreadCount": unread, **woken})
            case "read" | "unread" | "deleted" | "recalled":
                name = {"read": "markedAsRead", "unread": "markedAsUnread"}.get(event.kind, event.kind)
                counted = {} if unread is None else {"unreadCount": unread}
                return _message(name, {**_ids(data["ids"]), **counted, **whereabouts(data)})
            case "answered":
                return _message("answered", {**_ids(data["ids"]), "answer": data["answer"]})
            case "read_all":
                press = {"press": data["press"]} if "press" in data else {}
                return _message("markedAllAsRead", {"before": data.get("before"), "unreadCount": unread, **press})
            case "settings":
                return _message("settings", data)
            case "sync" | "joined" | "left":
                return self.heartbeat(data["unread"])
            case _:
                return None

    def connected(self, connection_id: str, unread: int) -> str:
        return _message("connected", {"unreadCount": unread, "connectionId": connection_id})

    def heartbeat(self, unread: int) -> str:
        return _message("pong", {"unreadCount": unread})

    def error(self, code: str, message: str) -> str:
        return _message("error", {"code": code, "message": message})

    def incomplete(self, audience: str, missing: int) -> str:
        """That a replay did not carry everything, and where the rest is."""
        rest = f"{missing} older notifications of {audience} were not replayed; GET /api/notifications has them"
        return self.error("ReplayIncomplete", rest)


def _ids(ids: Iterable[str]) -> dict[str, Any]:
    # One id is `notificationId`; the list is there in any case, so a client may read just that.
    listed = list(ids)
    return {"notificationId": listed[0] if listed else None, "notificationIds": listed}


def _message(event: str, data: dict[str, Any]) -> str:
    return ENCODER.encode({"event": event, "data": data})
