"""Writing notifications: the row, and a copy in each inbox that it is pushed to."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from notiway.store.database import db
from notiway.store.sql import BATCH, has_one_writer, in_batches, marks, run
from notiway.store.tables import Notification as Notification
from notiway.values.clock import iso, now_ms
from notiway.values.draft import Draft
from notiway.values.ids import id_after, id_floor, id_limit, id_time, new_id
from notiway.values.item import Item

log = logging.getLogger(__name__)

_seen_ahead: set[str] = set()
RESUME_OVERLAP_MS = 10_000  # how far apart the commits of two concurrent transactions may lie
ROWS_PER_INSERT = 400  # three values each: well under every database's limit


def insert(draft: Draft, audience_key: str) -> tuple[Notification, bool]:
    """Store a checked draft; returns the row, and False if that publisher sent that dedupe key before.

    Call it inside a transaction.
    """
    row = row_of(draft, audience_key, _next_id())
    values = {name: value for name, value in row.__data__.items() if value is not None}
    conflict = Notification.insert(**values).on_conflict(
        action="IGNORE", conflict_target=[Notification.publisher, Notification.dedupe_key]
    )
    if draft.dedupe_key is None:
        Notification.insert(**values).execute()
        return row, True
    if db.rows_affected(db.execute(conflict)):
        return row, True
    return first_of(draft.publisher, [draft.dedupe_key])[draft.dedupe_key], False


def first_of(publisher: str, dedupe_keys: Sequence[str]) -> dict[str, Notification]:
    """What this publisher stored under these keys before."""
    found: dict[str, Notification] = {}
    for part in in_batches(dedupe_keys):
        mine = (Notification.publisher == publisher) & Notification.dedupe_key.in_(list(part))
        found |= {str(row.dedupe_key): row for row in Notification.select().where(mine)}
    return found


def row_of(draft: Draft, audience_key: str, id: str | None = None) -> Notification:
    """A draft as a row that is not stored yet, or never will be."""
    return Notification(id=id or new_id(), audience=audience_key, created_at=now_ms(), **draft.as_dict())


def item_of(row: Notification, persisted: bool = True) -> Item:
    """A notification as it is before anybody has seen it."""
    values = {key: value for key, value in row.__data__.items() if key not in ("recalled_at", "publisher")}
    return Item(**values, persisted=persisted)


def find(notification_id: str) -> Item | None:
    """The notification of this id, recalled or not."""
    row = Notification.get_or_none(Notification.id == notification_id)
    return None if row is None else item_of(row)


def recall(notification_id: str) -> bool:
    """Note that a notification was taken back; False if it was before."""
    fresh = (Notification.id == notification_id) & Notification.recalled_at.is_null()
    return bool(Notification.update(recalled_at=now_ms()).where(fresh).execute())


def deliver_to(notification_ids: Sequence[str], user_ids: Sequence[str]) -> None:
    """Put notifications into inboxes; existing rows are kept."""
    now = now_ms()
    rows = [(user_id, notification_id, now) for user_id in user_ids for notification_id in notification_ids]
    for part in in_batches(rows, ROWS_PER_INSERT):
        values = ",".join(["(?, ?, ?)"] * len(part))
        run(
            "INSERT INTO notiway_inbox_item (user_id, notification_id, created_at)"
            f" VALUES {values} ON CONFLICT (user_id, notification_id) DO NOTHING",
            [value for row in part for value in row],
        )


def holders(notification_id: str, after: str = "", limit: int = BATCH) -> list[str]:
    """The ids of the users who have it in their inbox, in order: the next ones after a user, `limit` at most."""
    rows = run(
        "SELECT user_id FROM notiway_inbox_item WHERE notification_id = ? AND user_id > ? ORDER BY user_id LIMIT ?",
        (notification_id, after, limit),
    ).fetchall()
    return [row[0] for row in rows]


def holders_among(notification_id: str, user_ids: Sequence[str]) -> list[str]:
    """Which of these users have it in their inbox, in a tenant or group or not."""
    rows = run(
        "SELECT user_id FROM notiway_inbox_item WHERE notification_id = ?"
        f" AND user_id IN ({marks(user_ids) or 'NULL'})",
        (notification_id, *user_ids),
    ).fetchall()
    return [row[0] for row in rows]


def _next_id() -> str:
    """An id above every stored one where the database has one writer, so that ids are commit-ordered.

    Except above those that carry a time far ahead of the clock: one row that was stored while the clock was wrong
    would drag all later ones along, for years.
    """
    fresh = new_id()
    if not has_one_writer():
        return fresh
    newest = run("SELECT MAX(id) FROM notiway_notification").fetchone()[0]
    limit = id_limit()
    if newest is not None and newest >= limit:
        _come_back(newest, limit)
        newest = run("SELECT MAX(id) FROM notiway_notification WHERE id < ?", (limit,)).fetchone()[0]
    return fresh if newest is None or fresh > newest else id_after(newest)


def _come_back(newest: str, limit: str) -> None:
    """Once for each id that is ahead: no cursor stays beside it, or what is stored from now on would be passed over."""
    if newest in _seen_ahead:
        return
    _seen_ahead.add(newest)
    log.warning(
        "the newest notification carries the time %s, ahead of this machine's clock: one of the two is, or was, wrong."
        " Ids follow the clock again from here on. See that NTP is running.",
        iso(id_time(newest)),
    )
    run("DELETE FROM notiway_inbox_cursor WHERE pulled_to >= ?", (limit,))


def resume_from(notification_id: str) -> str:
    """The id to read on from, so that nothing that was committed late is missed.

    SQLite has one writer and ids are made under its lock, so ids are commit-ordered. On other databases
    two transactions may commit in the other order: a window is read again, receivers drop doubles by id.
    An id that is far ahead of the clock says nothing about what came when: all is read again.
    """
    if notification_id >= id_limit():
        return ""
    if has_one_writer() or not notification_id:
        return notification_id
    return id_floor(id_time(notification_id) - RESUME_OVERLAP_MS)
