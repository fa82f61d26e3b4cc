"""Recipients: what a caller of `send_notification` gave as `to` and as a moment, made plain. Faults are collected."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from notiway.pausing import in_stretches
from notiway.store.rows import SEVERAL
from notiway.values import clock
from notiway.values.audience import MAX_PART_LENGTH, Audience
from notiway.values.errors import Fault
from notiway.values.people import UnknownUsers

UNKNOWN_SHOWN = 5  # unknown users named in an error
ID_TYPES = (str, int, UUID)  # what a user id may be; text everywhere inside


def of(to: Any, unknown_users: UnknownUsers, faults: list[Fault]) -> tuple[str, list[str]]:
    """The audience key, and the user ids that get a copy pushed (none for a broadcast)."""
    if isinstance(to, Audience):
        if to.is_broadcast:
            return to.key, []
        if to.type.name == "CONNECTION":
            return to.key, []
        to = to.value
    many = isinstance(to, Iterable) and not isinstance(to, str | bytes) and not hasattr(to, "get_id")
    user_ids = list(dict.fromkeys(_user_id(each, faults) for each in in_stretches(to if many else [to])))
    known = [user_id for user_id in user_ids if user_id]
    unknown = sorted(unknown_users(known)) if known else []
    if unknown:
        shown = ", ".join(unknown[:UNKNOWN_SHOWN]) + (" …" if len(unknown) > UNKNOWN_SHOWN else "")
        faults.append(Fault("to", f"there is no user {shown}"))
    if not user_ids:
        faults.append(Fault("to", "must name at least one user"))
    if not known:
        return "", []
    return (f"user:{known[0]}" if len(known) == 1 else SEVERAL), known


def _user_id(user: Any, faults: list[Fault]) -> str:
    value = user
    if not isinstance(user, ID_TYPES):
        # A flask-login get_id() may carry a session token beside the id, so a plain id is preferred.
        value = getattr(user, "id", None)
        if value is None and hasattr(user, "get_id"):
            value = user.get_id()
    text = str(value) if isinstance(value, ID_TYPES) and not isinstance(value, bool) else ""
    if not text or len(text) > MAX_PART_LENGTH or not text.isprintable():
        faults.append(Fault("to", f"{type(user).__name__} is not a user id, an object with an id or an Audience"))
        return ""
    return text


def milliseconds(moment: Any, faults: list[Fault]) -> int | None:
    """A moment as milliseconds since the epoch; a naive datetime is taken as UTC."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        faults.append(Fault("expires_at", "must be a datetime"))
        return None
    return clock.milliseconds(moment)
