"""Actions: what users do with one item or several: the verb, the routes, and the words that tell of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from notiway.verbs import items
from notiway.verbs.changes import archive, snoozes
from notiway.web.pages import fields


@dataclass(frozen=True, slots=True)
class Action:
    """`do` changes items, with what the request says besides; `routes` come after the item's address.

    `done` follows the number of items ("3 deleted"), `told` is what the bar says of one; `state` is for JSON.
    """

    do: Callable[[str, Sequence[str]], int]
    routes: tuple[tuple[str, str], ...]
    done: str
    state: Callable[[], dict[str, Any]]
    told: str = ""
    place: str | None = None  # where items go, if that is not the inbox


def _snooze(user_id: str, ids: Sequence[str]) -> int:
    return snoozes.snooze(user_id, ids, fields.until())


ACTIONS = {
    "read": Action(items.mark_read, (("PUT", "/read"), ("POST", "/read")), "marked as read", lambda: {"read": True}),
    "unread": Action(
        items.mark_unread, (("DELETE", "/read"), ("POST", "/unread")), "marked as unread", lambda: {"read": False}
    ),
    "delete": Action(
        items.delete, (("DELETE", ""), ("POST", "/delete")), "deleted", lambda: {"deleted": True}, "Deleted"
    ),
    "restore": Action(items.restore, (("POST", "/restore"),), "restored", lambda: {"deleted": False}),
    "archive": Action(
        archive.archive,
        (("PUT", "/archive"), ("POST", "/archive")),
        "archived",
        lambda: {"archived": True},
        "Archived",
        "archived",
    ),
    "unarchive": Action(
        archive.put_back,
        (("DELETE", "/archive"), ("POST", "/unarchive")),
        "moved to the inbox",
        lambda: {"archived": False},
        "Moved to the inbox",
    ),
    "snooze": Action(
        _snooze,
        (("PUT", "/snooze"), ("POST", "/snooze")),
        "snoozed",
        lambda: {"snoozedUntil": fields.until()},
        "Snoozed",
        "snoozed",
    ),
    "unsnooze": Action(
        archive.put_back,
        (("DELETE", "/snooze"), ("POST", "/unsnooze")),
        "brought back",
        lambda: {"snoozedUntil": None},
        "Brought back",
    ),
}
LEAVING = ("delete", "archive", "snooze")
BACK = ("restore", "unarchive", "unsnooze")
