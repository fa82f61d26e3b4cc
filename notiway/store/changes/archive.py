"""The archive: what is out of list and count, and found again under its own state."""

from __future__ import annotations

from collections.abc import Sequence

from notiway.store import inbox
from notiway.values.clock import now_ms
from notiway.values.item import Item


def archive(user_id: str, ids: Sequence[str]) -> list[Item]:
    """Archive items, deleted and snoozed ones too; returns them as they were. What is unread stays so."""
    now = now_ms()
    change = "deleted_at = COALESCE(deleted_at, ?), archived_at = COALESCE(archived_at, ?), snoozed_until = NULL"
    return inbox.change_items(user_id, ids, change, (now, now), deleted=True)


def put_back(user_id: str, ids: Sequence[str]) -> list[Item]:
    """Put archived and snoozed items back into the list; returns them. `NotFound` if one is deleted."""
    inbox.get_many(user_id, ids)
    return inbox.restore(user_id, ids)
