"""Draft: what a caller wants to send, checked as a whole. Every fault is named at once."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from notiway.values.clock import EARLIEST_MS, LATEST_MS
from notiway.values.errors import Fault, InvalidNotification
from notiway.values.item import PRIORITIES, TYPES
from notiway.values.kinds.details import detail_faults
from notiway.values.text.checks import TEXT_FAULT, URL_FAULT
from notiway.values.text.checks import is_safe_url as is_safe_url
from notiway.values.text.checks import text_faults as text_faults
from notiway.values.text.json_text import is_deeper

log = logging.getLogger(__name__)

TITLE_LIMIT = 200  # characters
TITLE_HINT = 50  # characters; longer reads badly in a toast
MESSAGE_LIMIT = 2_000  # characters
MESSAGE_HINT = 200  # characters
BODY_LIMIT_BYTES = 32 * 1024  # as JSON
BODY_DEPTH_LIMIT = 32  # levels of objects and lists, the body itself counted
LABEL_LIMIT = 200  # characters in name, group_key, source, actor, dedupe_key and producer
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
WORD_BREAKS = re.compile(r"[._-]+")
# What SignalR clients hear from the hub itself, and what they call: a notification of that name would pass for it.
RESERVED_NAMES = frozenset(
    name.lower()
    for name in (
        "EventReadStatusChange", "EventDeletedStatusChange", "EventActionStatusChange", "ReplayIncomplete",
        "Subscribe", "Unsubscribe", "MarkAsRead", "MarkAsDeleted", "ConnectionId", "Renew",
    )
)  # fmt: skip
NAME_FAULT = "must begin with a letter or digit and hold letters, digits, dots, - and _, at most 200 characters"
MOMENT_FAULT = "must lie between 1970 and 9998"
# PostgreSQL keeps no NUL. In JSON it is an escape, unless the backslash before it is itself escaped.
ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, slots=True)
class Draft:
    """A notification without an id and without recipients. `check` tells what is wrong with it."""

    title: str
    message: str = ""
    type: str = "info"
    name: str = "notification"
    priority: str = "medium"
    action_url: str | None = None
    group_key: str | None = None
    source: str | None = None
    actor: str | None = None
    body: Mapping[str, Any] | None = None
    expires_at: int | None = None  # milliseconds since the epoch
    dedupe_key: str | None = None
    producer: str = "app"  # a label, shown to clients
    publisher: str = "app"  # whose dedupe keys these are; nobody can claim another's
    sent_at: int | None = None  # milliseconds since the epoch, by the producer's clock
    details: Mapping[str, Any] | None = None  # what is rich about it, as JSON: see values/kinds/details.py

    def as_dict(self) -> dict[str, Any]:
        """Its fields by name; the body is shared."""
        return {name: getattr(self, name) for name in _FIELD_NAMES}

    def detached(self) -> Draft:
        """A checked draft with a body of its own, as JSON makes it: the caller may go on changing what it gave."""
        return self if self.body is None else replace(self, body=json.loads(json.dumps(self.body)))

    def faults(self, now_ms: int) -> list[Fault]:
        """Everything that is wrong; an empty list for a good draft."""
        found = [
            *text_faults("title", self.title, TITLE_LIMIT, required=True),
            *text_faults("message", self.message, MESSAGE_LIMIT),
            *_choice_faults("type", self.type, TYPES),
            *_choice_faults("priority", self.priority, PRIORITIES),
            *_body_faults(self.body),
            *detail_faults(self.details),
        ]
        found += name_faults(self.name)
        for field in ("group_key", "source", "actor", "dedupe_key", "producer"):
            value = getattr(self, field)
            if value is not None:
                found += text_faults(field, value, LABEL_LIMIT, required=True)
        if self.action_url is not None and not is_safe_url(self.action_url):
            found.append(Fault("action_url", URL_FAULT))
        for field in ("expires_at", "sent_at"):
            value = getattr(self, field)
            if value is not None and not EARLIEST_MS <= value <= LATEST_MS:
                found.append(Fault(field, MOMENT_FAULT))
            elif field == "expires_at" and value is not None and value <= now_ms:
                found.append(Fault(field, "must be in the future"))
        return found

    def check(self, now_ms: int, other_faults: list[Fault] | None = None) -> None:
        """Raise `InvalidNotification` with every fault, these and `other_faults`; hint at long texts."""
        found = self.faults(now_ms) + (other_faults or [])
        if found:
            raise InvalidNotification("The notification is not valid", found)
        if len(self.title) > TITLE_HINT or len(self.message) > MESSAGE_HINT:
            log.info(
                "Concise notifications read better: title %d of %d characters, message %d of %d",
                len(self.title),
                TITLE_HINT,
                len(self.message),
                MESSAGE_HINT,
            )


_FIELD_NAMES = tuple(spec.name for spec in fields(Draft))


def words_of(name: str) -> str:
    """The name of an event as a title.

    >>> words_of("order-shipped")
    'Order shipped'
    """
    words = WORD_BREAKS.sub(" ", name).strip()
    return (words[:1].upper() + words[1:])[:TITLE_LIMIT]


def replaces_faults(replaces: object, persist: bool) -> list[Fault]:
    """What is wrong with the key under which a newer notification takes the place of one that still waits."""
    if replaces is None:
        return []
    if persist:
        return [Fault("replaces", "is only allowed if the notification is not stored")]
    return text_faults("replaces", replaces, LABEL_LIMIT, required=True)


def name_faults(name: object) -> list[Fault]:
    """What is wrong with the name of an event: at most one fault."""
    if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name) or len(name) > LABEL_LIMIT:
        return [Fault("name", NAME_FAULT)]
    # In small letters: the JavaScript client looks its handlers up that way.
    return [Fault("name", "is one of the hub's own names")] if name.lower() in RESERVED_NAMES else []


def _choice_faults(path: str, value: object, choices: tuple[str, ...]) -> list[Fault]:
    return [] if value in choices else [Fault(path, f"must be one of {', '.join(choices)}")]


def _body_faults(body: object) -> list[Fault]:
    if body is None:
        return []
    if not isinstance(body, Mapping):
        return [Fault("body", "must be an object")]
    if is_deeper(body, BODY_DEPTH_LIMIT):
        return [Fault("body", f"must be at most {BODY_DEPTH_LIMIT} levels deep")]
    try:
        text = json.dumps(body, allow_nan=False, ensure_ascii=False)
        size = len(text.encode())
    except UnicodeEncodeError:
        return [Fault("body", TEXT_FAULT)]
    except (TypeError, ValueError) as error:
        return [Fault("body", f"must be JSON: {error}")]
    if size > BODY_LIMIT_BYTES:
        return [Fault("body", f"must have at most {BODY_LIMIT_BYTES} bytes as JSON")]
    return [Fault("body", TEXT_FAULT)] if ESCAPED_NUL.search(text) else []
