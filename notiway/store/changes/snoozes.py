"""Snoozes: items that are out of list and count until a moment, and come back unread then, each once.

Whoever looks first brings them back: the statement that does so finds only what is snoozed still.
"""

from __future__ import annotations

from collections.abc import Sequence

from notiway.store import inbox
from notiway.store.changes.counter import note_change
from notiway.store.sql import marks, run
from notiway.values.clock import now_ms
from notiway.values.item import Item

DUE = (
    "SELECT user_id, notification_id FROM notiway_inbox_item WHERE snoozed_until IS NOT NULL AND snoozed_until <= ?"
    " ORDER BY snoozed_until LIMIT ?"
)
NEXT = "SELECT MIN(snoozed_until) FROM notiway_inbox_item WHERE snoozed_until IS NOT NULL"
AT_ONCE = 500  # items of all users that one look finds; the next one finds the rest


def snooze(user_id: str, ids: Sequence[str], until: int) -> list[Item]:
    """Put items away until a moment (ms since the epoch), archived and deleted ones too; returns them as they were."""
    change = "deleted_at = COALESCE(deleted_at, ?), snoozed_until = ?, archived_at = NULL"
    return inbox.change_items(user_id, ids, change, (now_ms(), until), deleted=True)


def due(limit: int = AT_ONCE) -> dict[str, list[str]]:
    """Whose time has come, the oldest first: ids of items by user."""
    found: dict[str, list[str]] = {}
    for user_id, notification_id in run(DUE, (now_ms(), limit)).fetchall():
        found.setdefault(user_id, []).append(notification_id)
    return found


def next_due() -> int | None:
    """When the next of all is due, in ms since the epoch; None if nothing is snoozed."""
    moment: int | None = run(NEXT).fetchone()[0]
    return moment


def wake(user_id: str, ids: Sequence[str]) -> list[Item]:
    """Bring these back, unread, inside a transaction: those whose time has come and that nobody else has brought back.

    Returns them as they are now, without those that expired or were recalled meanwhile.
    """
    note_change(user_id)  # first, as whatever else changes items does
    woken = run(
        "UPDATE notiway_inbox_item SET snoozed_until = NULL, deleted_at = NULL, read_at = NULL, press = NULL"
        f" WHERE user_id = ? AND notification_id IN ({marks(ids)}) AND snoozed_until <= ? RETURNING notification_id",
        (user_id, *ids, now_ms()),
    ).fetchall()
    return inbox.among(user_id, sorted(row[0] for row in woken))
