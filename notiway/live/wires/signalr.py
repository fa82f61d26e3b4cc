"""The SignalR wire: Events as invocations of the JSON hub protocol (SignalR HubProtocol specification)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from notiway.live.wires.json import ENCODER, NOTHING, whereabouts
from notiway.values.audience import Audience, AudienceType
from notiway.values.clock import iso
from notiway.values.event import Event

log = logging.getLogger(__name__)

SEPARATOR = "\x1e"  # ends every message; one frame may carry several
INVOCATION, COMPLETION, PING, CLOSE = 1, 3, 6, 7


class SignalRWire:
    """Renders Events as calls of the client's methods; the method's name is the notification's name."""

    name = "signalr"
    counts = False
    redraws = False

    def render(self, event: Event) -> str | None:
        """The invocations for an Event, without an id: nobody answers them."""
        data = event.data
        match event.kind:
            case "created":
                return invocation(data["notification"]["name"], notification_dict(data["notification"]))
            case "restored":
                back = [_changed("EventDeletedStatusChange", item, "isDeleted", False) for item in data["items"]]
                # Whole too: a client that connected while it was deleted has never heard of it.
                return "".join([*back, *_whole(data["notifications"])])
            case "read" | "read_all" | "read_each":
                return "".join(_changed("EventReadStatusChange", item, "isRead", True) for item in data["items"])
            case "unread":
                return "".join(_changed("EventReadStatusChange", item, "isRead", False) for item in data["items"])
            case "deleted" | "recalled":
                gone = whereabouts(data)
                return "".join(
                    _changed("EventDeletedStatusChange", item, "isDeleted", True, gone) for item in data["items"]
                )
            case "answered":
                return "".join(_answered(item, data["answer"]) for item in data["items"])
            case _:
                return None

    def connected(self, connection_id: str, unread: int) -> str:
        """The answer to a good handshake."""
        return message({})

    def heartbeat(self, unread: int) -> None:
        """Nothing: the transport pings, and SignalR clients count for themselves."""

    def error(self, code: str, text: str) -> None:
        """Nothing: faults complete the invocation that caused them."""

    def incomplete(self, audience: str, missing: int) -> str:
        """The call that says how many stand for an audience beside those that were replayed."""
        return invocation("ReplayIncomplete", {"audienceId": audience_id(audience), "missing": missing})


def message(values: dict[str, Any]) -> str:
    """One message with its separator."""
    return ENCODER.encode(values) + SEPARATOR


def invocation(target: str, *arguments: Any) -> str:
    """A call of a client method that expects no answer."""
    return message({"type": INVOCATION, "target": target, "arguments": list(arguments)})


def notification_dict(item: dict[str, Any]) -> dict[str, Any]:
    """A notification as SignalR clients see it (CONTRACT §4)."""
    audience = item["audience"]
    return {
        "id": item["dedupe_key"] or item["id"],
        "type": item["name"],
        "body": item["body"] if item["body"] is not None else _body_of(item),
        "audienceId": audience_id(audience),
        "tenantId": tenant_of(audience),
        "priority": item["priority"],
        "groupKey": item["group_key"],
        "isRead": item["read_at"] is not None,
        "isDeleted": item["deleted_at"] is not None,
        "metadata": {
            "producer": item["producer"],
            "timeStamp": iso(item["sent_at"] or item["created_at"]),
            "isPersisted": item["persisted"],
            "persistedTTL": None if item["expires_at"] is None else iso(item["expires_at"]),
            **_rich(item),
        },
    }


def _rich(item: dict[str, Any]) -> dict[str, Any]:
    """What is rich about it, where anything is: other clients see the metadata that they always saw."""
    details, answer = item.get("details"), item.get("answer")
    if not details:
        return {}
    rich = {name: value for name, value in details.items() if name != "actor"}
    if item["actor"] is not None or "actor" in details:
        rich["actor"] = {"name": item["actor"], **details.get("actor", {})}
    return rich if answer is None else {**rich, "answer": answer}


def audience_id(key: str) -> str:
    """The audience as clients name it: its key, but a connection's is just its id."""
    return key.removeprefix("connection:")


def tenant_of(key: str) -> str | None:
    """The tenant that an audience belongs to, if any."""
    audience = Audience.parse(key)
    return audience.value if audience.type is AudienceType.TENANT else audience.tenant_id


def _body_of(item: dict[str, Any]) -> dict[str, Any]:
    """What was sent from Python has no body: its texts make one, by the names that envelopes use."""
    return {
        "title": item["title"],
        "message": item["message"],
        "severity": item["type"],
        "actionUrl": item["action_url"],
    }


def _whole(notifications: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A call for each; one that cannot be told is logged and left out, the others come."""
    for item in notifications:
        try:
            yield invocation(item["name"], notification_dict(item))
        except Exception:
            log.exception("notification %s is left out: no call can be made of it; correct or remove it", item["id"])


def _changed(target: str, item: dict[str, str], field: str, value: bool, more: Mapping[str, Any] = NOTHING) -> str:
    about = {"eventId": item["public_id"], "audienceId": audience_id(item["audience"])}
    return invocation(target, {**about, field: value, **more})


def _answered(item: dict[str, str], answer: dict[str, Any] | None) -> str:
    told = {"action": None, "status": "open", "by": None, "byName": None, "message": None}
    told |= {name: answer[name] for name in told if name in answer} if answer else {}
    about = {"eventId": item["public_id"], "audienceId": audience_id(item["audience"])}
    return invocation("EventActionStatusChange", {**about, **told})
