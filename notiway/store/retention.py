"""Retention: what is too old, expired or spent goes, a bounded number of rows at a time, while others write."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from notiway.pausing import pause
from notiway.store import spent_ids
from notiway.store.database import db
from notiway.store.search import catalogue
from notiway.store.sql import marks, run
from notiway.values.clock import DAY_MS, now_ms
from notiway.values.ids import AHEAD_MS

ROWS = 300  # of all tables together that one transaction changes; each may lie on pages of its own: some milliseconds
PAUSE_SECONDS = 0.02  # after each: longer than writers of other processes wait between two attempts
OLD = "SELECT id FROM notiway_notification WHERE created_at < ? ORDER BY created_at"
EXPIRED = "SELECT id FROM notiway_notification WHERE expires_at <= ? ORDER BY expires_at"
AHEAD = "SELECT id FROM notiway_notification WHERE created_at > ? ORDER BY created_at"
TASKS = "SELECT id FROM notiway_task WHERE updated_at < ? ORDER BY updated_at"
TOKENS = "SELECT id FROM notiway_spent_token WHERE expires_at < ? ORDER BY expires_at"
ITEMS = (
    "DELETE FROM notiway_inbox_item WHERE notification_id = ? AND user_id IN"
    " (SELECT user_id FROM notiway_inbox_item WHERE notification_id = ? ORDER BY user_id LIMIT ?)"
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """How many notifications and inbox items a cleanup removed, or would have."""

    old: int
    expired: int
    items: int


def clean_up(
    older_than_days: float,
    *,
    dry_run: bool = False,
    now: int | None = None,
    rows: int = ROWS,
    dedupe_days: float = spent_ids.DAYS,
) -> Cleaned:
    """Remove notifications stored more than so many days ago, and expired ones, tokens and tasks that are over.

    `now` is in milliseconds since the epoch, `rows` how many one transaction changes at most. Producers' ids are
    remembered for `dedupe_days` after they were sent. What is too old expires
    first: so a broadcast that is half removed is in no list, and is not pulled into an inbox again.
    """
    now = now_ms() if now is None else now
    too_old = int(now - older_than_days * DAY_MS)
    if dry_run:
        return _counted(too_old, now)
    _date_again(now, rows)
    _remove_rows("notiway_task", TASKS, too_old, rows)
    old = items = 0
    while ids := _chosen(OLD, too_old, rows):
        with db.atomic():
            run(
                f"UPDATE notiway_notification SET expires_at = ? WHERE id IN ({marks(ids)})"
                " AND (expires_at IS NULL OR expires_at > ?)",
                (now, *ids, now),
            )
        pause(PAUSE_SECONDS)
        items += _remove(ids, rows, now, dedupe_days)
        old += len(ids)
    rest = clean_expired(now=now, rows=rows, dedupe_days=dedupe_days)
    return Cleaned(old, rest.expired, items + rest.items)


def clean_expired(*, now: int | None = None, rows: int = ROWS, dedupe_days: float = spent_ids.DAYS) -> Cleaned:
    """Remove what has expired, one-time tokens that would not be taken any more anyway, and ids that are old enough."""
    now = now_ms() if now is None else now
    _remove_rows("notiway_spent_token", TOKENS, now, rows)
    while spent_ids.forget(now, dedupe_days, rows):
        pause(PAUSE_SECONDS)
    expired = items = 0
    while ids := _chosen(EXPIRED, now, rows):
        items += _remove(ids, rows, now, dedupe_days)
        expired += len(ids)
    return Cleaned(0, expired, items)


def _chosen(query: str, bound: int, rows: int) -> list[str]:
    return [row[0] for row in run(f"{query} LIMIT ?", (bound, rows)).fetchall()]


def _remove(ids: list[str], rows: int, now: int, dedupe_days: float) -> int:
    """Remove these notifications, each after its inbox items; how many items there were."""
    catalogue.forget(ids)
    waiting, removed = deque(ids), 0
    while waiting:
        room = rows
        with db.atomic():
            while waiting and room:
                gone = run(ITEMS, (waiting[0], waiting[0], room)).rowcount
                removed += gone
                room -= gone
                if room:
                    spent_ids.keep(waiting[0], now, dedupe_days)
                    run("DELETE FROM notiway_notification WHERE id = ?", (waiting.popleft(),))
                    room -= 1
        pause(PAUSE_SECONDS)
    return removed


def _remove_rows(table: str, query: str, bound: int, rows: int) -> None:
    while ids := _chosen(query, bound, rows):
        run(f"DELETE FROM {table} WHERE id IN ({marks(ids)})", ids)
        pause(PAUSE_SECONDS)


def _date_again(now: int, rows: int) -> None:
    """What was stored while the clock was far ahead would never be old: it ages from now on."""
    while ids := _chosen(AHEAD, now + AHEAD_MS, rows):
        run(f"UPDATE notiway_notification SET created_at = ? WHERE id IN ({marks(ids)})", (now, *ids))
        pause(PAUSE_SECONDS)


def _counted(too_old: int, now: int) -> Cleaned:
    over = "created_at < ? OR expires_at <= ?"
    expired = "expires_at <= ? AND created_at >= ?"
    return Cleaned(
        _count("notiway_notification WHERE created_at < ?", too_old),
        _count(f"notiway_notification WHERE {expired}", now, too_old),
        _count(
            f"notiway_inbox_item WHERE notification_id IN (SELECT id FROM notiway_notification WHERE {over})",
            too_old,
            now,
        ),
    )


def _count(rows: str, *params: int) -> int:
    count: int = run(f"SELECT COUNT(*) FROM {rows}", params).fetchone()[0]
    return count
