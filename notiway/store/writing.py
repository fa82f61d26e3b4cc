"""Writing notifications: the row, and a copy in each inbox that it is pushed to."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from notiway.store.log import positions
from notiway.store.rows import SEVERAL
from notiway.store.sql import BATCH, IF_IT_STAYS, IN_ORDER, each_of, has_one_writer, in_batches, marks, run
from notiway.store.tables import Notification as Notification
from notiway.values.clock import iso, now_ms
from notiway.values.draft import Draft
from notiway.values.ids import id_after, id_limit, id_time, new_id
from notiway.values.item import Item

log = logging.getLogger(__name__)

_seen_ahead: set[str] = set()
ROWS_PER_INSERT = 400  # in one statement
# Of all users together: a page that looks once in vain costs less than a row for each holder.
RECALLS = "SELECT value FROM notiway_counter WHERE name = 'recalls'"
COUNT_RECALL = (
    "INSERT INTO notiway_counter (name, value) VALUES ('recalls', 1)"
    " ON CONFLICT (name) DO UPDATE SET value = notiway_counter.value + 1"
)
_FIELDS = Notification._meta.sorted_fields
FIND = f"SELECT {', '.join(field.column_name for field in _FIELDS)} FROM notiway_notification"
ANSWER = Notification._meta.fields["answer"]
OF_THE_ROW = ("recalled_at", "publisher", "position", "horizon")  # no part of what a user sees


def insert(draft: Draft, audience_key: str, id: str | None = None) -> tuple[Notification, bool]:
    """Store a checked draft; returns the row, and False if that publisher sent that dedupe key before.

    Call it inside a transaction. `id` is a fresh one to use where ids do not follow the commits anyway.
    """
    row = row_of(draft, audience_key, _next_id(id))
    position = positions.take()
    if position is not None:
        row.position, row.horizon = position, position + 1
    filled = [field for field in _FIELDS if row.__data__.get(field.name) is not None]
    inserted = run(
        f"INSERT INTO notiway_notification ({', '.join(field.column_name for field in filled)})"
        f" VALUES ({marks(filled)}) ON CONFLICT (publisher, dedupe_key) DO NOTHING",
        [field.db_value(row.__data__[field.name]) for field in filled],
    )
    if draft.dedupe_key is None or inserted.rowcount:
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
    values = {key: value for key, value in row.__data__.items() if key not in OF_THE_ROW}
    return Item(**values, persisted=persisted)


def find(notification_id: str) -> Item | None:
    """The notification of this id, recalled or not."""
    row = run(f"{FIND} WHERE id = ?", (notification_id,)).fetchone()
    if row is None:
        return None
    values = {field.name: field.python_value(value) for field, value in zip(_FIELDS, row, strict=True)}
    return item_of(Notification(**values))


def recall(notification_id: str) -> bool:
    """Note that a notification was taken back; False if it was before. Call it inside a transaction."""
    run(COUNT_RECALL)  # first: of two transactions with several recalls each, one waits here
    text = "UPDATE notiway_notification SET recalled_at = ? WHERE id = ? AND recalled_at IS NULL"
    return bool(run(text, (now_ms(), notification_id)).rowcount)


def set_answer(notification_id: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> bool:
    """Note what became of a notification's actions, where it still is as it was before; False if it is not any more.

    Call it inside a transaction. Of two at once, one finds that the other was faster. Pages that were away look again.
    """
    run(COUNT_RECALL)  # first, as in a recall of the same notification: neither waits for what the other holds
    was, values = ("IS NULL", ()) if before is None else ("= ?", (ANSWER.db_value(before),))
    changed = run(
        f"UPDATE notiway_notification SET answer = ? WHERE id = ? AND recalled_at IS NULL AND answer {was}",
        (ANSWER.db_value(after), notification_id, *values),
    )
    return bool(changed.rowcount)


def deliver_to(notification_ids: Sequence[str], user_ids: Sequence[str], *, arriving: bool = False) -> int:
    """Put notifications into inboxes, inside a transaction; existing rows are kept. Returns how many were put there.

    An item stands where its notification stands in the log; with `arriving` it stands where the log is now, for
    a reader that has been past the notification already.
    """
    if not notification_ids or not user_ids:
        return 0
    count = 0
    position, values = positions.here() if arriving else ("n.position", ())
    for ids in in_batches(sorted(notification_ids), ROWS_PER_INSERT):
        for users in in_batches(sorted(user_ids), max(1, ROWS_PER_INSERT // len(ids))):
            source, listed = each_of(users)
            inserted = run(
                f"INSERT INTO notiway_inbox_item (user_id, notification_id, created_at, position, group_key)"
                f" SELECT u.value, n.id, ?, {position}, n.group_key FROM notiway_notification n CROSS JOIN {source}"
                f" WHERE n.id IN ({marks(ids)}){IN_ORDER}{IF_IT_STAYS}"
                " ON CONFLICT (user_id, notification_id) DO NOTHING",
                (now_ms(), *values, listed, *ids),
            )
            count += inserted.rowcount
    return count


def holders(notification_id: str, after: str = "", limit: int = BATCH) -> list[str]:
    """The ids of the users who have it in their inbox, in order: the next ones after a user, `limit` at most."""
    rows = run(
        "SELECT user_id FROM notiway_inbox_item WHERE notification_id = ? AND user_id > ? ORDER BY user_id LIMIT ?",
        (notification_id, after, limit),
    ).fetchall()
    return [row[0] for row in rows]


def holders_among(notification_id: str, user_ids: Sequence[str]) -> list[str]:
    """The users among these who have the notification in their inbox, whatever its audience was."""
    rows = run(
        "SELECT user_id FROM notiway_inbox_item WHERE notification_id = ?"
        f" AND user_id IN ({marks(user_ids) or 'NULL'})",
        (notification_id, *user_ids),
    ).fetchall()
    return [row[0] for row in rows]


def audiences_since(created_ms: int, limit: int) -> list[str] | None:
    """Whom everything was for that was stored since then; None if those are more than `limit`."""
    rows: Any = (
        Notification.select(Notification.id, Notification.audience)
        .where(Notification.created_at >= created_ms)
        .limit(limit + 1)
        .tuples()
    )
    found: set[str] = set()
    for number, (notification_id, audience) in enumerate(rows):
        users = holders(notification_id, limit=limit + 1) if audience == SEVERAL else []
        found |= {f"user:{user_id}" for user_id in users} if audience == SEVERAL else {audience}
        if number >= limit or len(found) > limit:
            return None
    return sorted(found)


def _next_id(made: str | None) -> str:
    """An id above every stored one where the database has one writer, so that ids are commit-ordered.

    Except above those that carry a time far ahead of the clock: one row that was stored while the clock was wrong
    would drag all later ones along, for years.
    """
    fresh = made or new_id()
    newest = newest_id() if has_one_writer() else None
    return fresh if newest is None or fresh > newest else id_after(newest)


def newest_id() -> str | None:
    """The highest stored id, of those that do not carry a time far ahead of the clock; None where there is none."""
    newest: str | None = run("SELECT MAX(id) FROM notiway_notification").fetchone()[0]
    limit = id_limit()
    if newest is None or newest < limit:
        return newest
    _come_back(newest)
    found: str | None = run("SELECT MAX(id) FROM notiway_notification WHERE id < ?", (limit,)).fetchone()[0]
    return found


def _come_back(newest: str) -> None:
    """Say so, once for each id that is ahead."""
    if newest in _seen_ahead:
        return
    _seen_ahead.add(newest)
    log.warning(
        "the newest notification carries the time %s, ahead of this machine's clock: one of the two is, or was, wrong."
        " Ids follow the clock again from here on. See that NTP is running.",
        iso(id_time(newest)),
    )
