"""Rows: the one definition of what is there for a user, and how its rows become items."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from notiway.store.sql import BY_UNREAD, has_one_writer, marks, run
from notiway.values.item import Item
from notiway.values.text import json_text

log = logging.getLogger(__name__)

SEVERAL = "users"  # the stored audience of a notification to several users; each sees itself addressed

# The one definition of "there for the user": list, count, replay and actions all use it.
# The plus signs keep SQLite's planner from beginning with the index on `expires_at`, which is the cleanup's.
VISIBLE = "n.recalled_at IS NULL AND (+n.expires_at IS NULL OR +n.expires_at > ?)"
FROM_INBOX = "FROM notiway_inbox_item i JOIN notiway_notification n ON n.id = i.notification_id WHERE i.user_id = ?"
IN_JSON = ("body", "details", "answer")
COLUMNS = (
    "n.id, n.audience, n.name, n.type, n.priority, n.title, n.message, n.created_at, n.body, n.action_url,"
    " n.group_key, n.source, n.actor, n.producer, n.expires_at, n.dedupe_key, n.sent_at,"
    " i.seen_at, i.read_at, i.deleted_at, n.details, n.answer, i.archived_at, i.snoozed_until"
)
# What the user can still look at: in the list, or put away from it.
KEPT = "(i.deleted_at IS NULL OR i.archived_at IS NOT NULL OR i.snoozed_until IS NOT NULL)"


FROM_UNREAD = FROM_INBOX.replace(" i JOIN", f" i{BY_UNREAD} JOIN")


# Items by their ids. PostgreSQL prepares a statement for a user with few items: any index that begins with the user
# seems good enough, and all of a large inbox is read. Only one index gives the next item in order.
NAMED = (
    "FROM unnest(CAST(? AS text[])) AS named (id) CROSS JOIN LATERAL (SELECT * FROM notiway_inbox_item"
    " WHERE user_id = ? AND notification_id >= named.id ORDER BY notification_id LIMIT 1) i"
    " CROSS JOIN notiway_notification n WHERE i.notification_id = named.id AND n.id = i.notification_id"
)


def read_items(tail: str, params: Sequence[Any], user_id: str | None = None) -> list[Item]:
    """Run a query for items of a user; unless it is given, its first parameter is the user."""
    rows = run(f"SELECT {COLUMNS} {tail}", params).fetchall()
    return [_item(row, f"user:{user_id or params[0]}") for row in rows]


def named(user_id: str, ids: Sequence[str]) -> tuple[str, list[Any]]:
    """The end of a query for these items of the user, in no order, up to its WHERE; and its parameters."""
    if has_one_writer():
        return f"{FROM_INBOX} AND i.notification_id IN ({marks(ids)})", [user_id, *ids]
    return NAMED, [list(ids), user_id]


def read_placed(tail: str, params: Sequence[Any]) -> list[tuple[Item, int]]:
    """The same, each item with its position in the log."""
    rows = run(f"SELECT {COLUMNS}, i.position {tail}", params).fetchall()
    return [(_item(row[:-1], f"user:{params[0]}"), row[-1]) for row in rows]


def _item(row: Sequence[Any], owner: str) -> Item:
    audience = owner if row[1] == SEVERAL else row[1]
    body, details, answer = (
        _json(row[0], name, text) for name, text in zip(IN_JSON, (row[8], *row[20:22]), strict=True)
    )
    # In the order of Item's fields; what is in an inbox is persisted.
    return Item(*(row[0], audience, *row[2:8], body, *row[9:15], True, *row[15:20], details, answer, *row[22:]))


def _json(notification_id: str, name: str, text: str | None) -> Any:
    try:
        return None if text is None else json_text.read(text)
    except ValueError as error:
        # The rest of it is good: in the list it can be read and deleted, and the count agrees.
        log.error(
            "the stored %s of notification %s is left out: %s. Correct or remove it", name, notification_id, error
        )
        return None
