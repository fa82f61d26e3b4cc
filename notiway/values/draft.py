"""Draft: what a caller wants to send, checked as a whole. Every fault is named at once."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from notiway.values.errors import Fault, InvalidNotification
from notiway.values.item import PRIORITIES, TYPES

log = logging.getLogger(__name__)

TITLE_LIMIT = 200  # characters
TITLE_HINT = 50  # characters; longer reads badly in a toast
MESSAGE_LIMIT = 2_000  # characters
MESSAGE_HINT = 200  # characters
BODY_LIMIT_BYTES = 32 * 1024  # as JSON
LABEL_LIMIT = 200  # characters in name, group_key, source, actor and dedupe_key
URL_LIMIT = 2_000  # characters
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
WORD_BREAKS = re.compile(r"[._-]+")
URL_FAULT = "must be an https: or http: address, or a path on this site"


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
    producer: str = "app"
    sent_at: int | None = None  # milliseconds since the epoch, by the producer's clock

    def faults(self, now_ms: int) -> list[Fault]:
        """Everything that is wrong; an empty list for a good draft."""
        found = [
            *_text_faults("title", self.title, TITLE_LIMIT, required=True),
            *_text_faults("message", self.message, MESSAGE_LIMIT),
            *_choice_faults("type", self.type, TYPES),
            *_choice_faults("priority", self.priority, PRIORITIES),
            *_body_faults(self.body),
        ]
        if not isinstance(self.name, str) or not NAME_PATTERN.fullmatch(self.name) or len(self.name) > LABEL_LIMIT:
            found.append(Fault("name", "must begin with a letter or digit and hold letters, digits, dots, - and _"))
        for field in ("group_key", "source", "actor", "dedupe_key"):
            value = getattr(self, field)
            if value is not None:
                found += _text_faults(field, value, LABEL_LIMIT, required=True)
        if self.action_url is not None and not is_safe_url(self.action_url):
            found.append(Fault("action_url", URL_FAULT))
        if self.expires_at is not None and self.expires_at <= now_ms:
            found.append(Fault("expires_at", "must lie in the future"))
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


def is_safe_url(url: object) -> bool:
    """Whether a link may be followed: http, https, or a path on this site.

    Browsers read a backslash as a slash and drop control characters (WHATWG URL §4.4), so `/\\host`
    and `java\\nscript:` are refused as they stand.
    """
    if not isinstance(url, str) or not 0 < len(url) <= URL_LIMIT:
        return False
    if "\\" in url or any(not character.isprintable() or character.isspace() for character in url):
        return False
    if url.startswith("/"):
        return not url.startswith("//")
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def words_of(name: str) -> str:
    """The name of an event as a title.

    >>> words_of("order-shipped")
    'Order shipped'
    """
    words = WORD_BREAKS.sub(" ", name).strip()
    return (words[:1].upper() + words[1:])[:TITLE_LIMIT]


def _text_faults(path: str, value: object, limit: int, required: bool = False) -> list[Fault]:
    if not isinstance(value, str):
        return [Fault(path, "must be text")]
    if required and not value.strip():
        return [Fault(path, "must not be empty")]
    if len(value) > limit:
        return [Fault(path, f"must have at most {limit} characters, has {len(value)}")]
    if "\x00" in value or not _is_unicode(value):
        return [Fault(path, "must not hold NUL or half a surrogate pair")]
    return []


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _choice_faults(path: str, value: object, choices: tuple[str, ...]) -> list[Fault]:
    return [] if value in choices else [Fault(path, f"must be one of {', '.join(choices)}")]


def _body_faults(body: object) -> list[Fault]:
    if body is None:
        return []
    if not isinstance(body, Mapping):
        return [Fault("body", "must be an object")]
    try:
        size = len(json.dumps(body, allow_nan=False, ensure_ascii=False).encode())
    except (TypeError, ValueError) as error:
        return [Fault("body", f"must be JSON: {error}")]
    return [] if size <= BODY_LIMIT_BYTES else [Fault("body", f"must have at most {BODY_LIMIT_BYTES} bytes as JSON")]
