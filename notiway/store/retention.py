"""Retention: what is too old or expired goes, in small batches, with its inbox items."""

from __future__ import annotations

from dataclasses import dataclass

from notiway.store.database import db
from notiway.store.sql import run
from notiway.values.clock import DAY_MS, now_ms
from notiway.values.ids import id_floor

BATCH = 500  # notifications per transaction: other writers get their turn in between
# One indexed range each: ids carry their time.
OLD = "SELECT id FROM notiway_notification WHERE id < ?"
EXPIRED = "SELECT id FROM notiway_notification WHERE expires_at <= ?"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """How many notifications and inbox items a cleanup removed, or would have."""

    old: int
    expired: int
    items: int


def clean_up(older_than_days: float, *, dry_run: bool = False, now: int | None = None, batch: int = BATCH) -> Cleaned:
    """Remove notifications older than so many days, and expired ones at once.

    `now` is in milliseconds since the epoch. Inbox items go with their notification, never before it,
    so a deleted broadcast is not pulled into an inbox again.
    """
    now = now_ms() if now is None else now
    too_old = id_floor(int(now - older_than_days * DAY_MS))
    if dry_run:
        items = _count(
            f"SELECT i.notification_id FROM notiway_inbox_item i WHERE i.notification_id IN ({OLD} UNION {EXPIRED})",
            too_old,
            now,
        )
        return Cleaned(_count(OLD, too_old), _count(f"{EXPIRED} AND id >= ?", now, too_old), items)
    run("DELETE FROM notiway_task WHERE updated_at < ?", (int(now - older_than_days * DAY_MS),))
    old, items_of_old = _remove(OLD, too_old, batch)
    expired, items_of_expired = _remove(EXPIRED, now, batch)
    return Cleaned(old, expired, items_of_old + items_of_expired)


def _count(query: str, *params: str | int) -> int:
    count: int = run(f"SELECT COUNT(*) FROM ({query}) AS chosen", params).fetchone()[0]
    return count


def _remove(query: str, bound: str | int, batch: int) -> tuple[int, int]:
    notifications = items = 0
    while True:
        chosen = f"IN ({query} LIMIT {batch})"
        with db.atomic():
            items += run(f"DELETE FROM notiway_inbox_item WHERE notification_id {chosen}", (bound,)).rowcount
            gone = run(f"DELETE FROM notiway_notification WHERE id {chosen}", (bound,)).rowcount
        notifications += gone
        if gone < batch:
            return notifications, items
