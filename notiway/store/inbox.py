"""A user's inbox: reading it, counting it, changing it. Every function takes the user and filters there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from notiway.pausing import pause
from notiway.store.changes.counter import changes as changes
from notiway.store.changes.counter import note_change
from notiway.store.database import db
from notiway.store.log.counting import arrive as arrive
from notiway.store.log.counting import unread_count as unread_count
from notiway.store.log.counting import unread_counts as unread_counts
from notiway.store.log.pulling import catch_up as catch_up
from notiway.store.rows import FROM_UNREAD, KEPT, SEVERAL, VISIBLE, named, read_items
from notiway.store.search import finding
from notiway.store.search.filters import Filters
from notiway.store.sql import in_batches, marks, run
from notiway.values.clock import LATEST_MS, now_ms
from notiway.values.errors import NotFound
from notiway.values.event import COUNT_CAP as COUNT_CAP
from notiway.values.ids import id_time, is_id
from notiway.values.item import Item

MARK_BATCH = 500  # items of "mark all" that one statement marks


@dataclass(frozen=True, slots=True)
class Page:
    """Some items, newest first, and where the next page begins (None: there is no more).

    `searched_to` is set where a search ended before it had found enough: the moment that it looked back to, in
    milliseconds since the epoch.
    """

    items: list[Item]
    next_cursor: str | None
    searched_to: int | None = None


def feed(
    user_id: str,
    *,
    state: str = "all",
    type: str | None = None,
    source: str | None = None,
    priority: str | None = None,
    category: str | None = None,
    text: str | None = None,
    before: str | None = None,
    limit: int = 20,
) -> Page:
    """The newest items that pass the filters of `Filters`, `limit` at most, older than the cursor `before`.

    A search in a large inbox may end before it has found as many; the next page goes on from there.
    """
    catch_up(user_id)
    filters = Filters(state, type, source, priority, text, category)
    items, reached = finding.newest(user_id, filters, now=now_ms(), before=before, limit=limit + 1)
    if len(items) > limit:
        return Page(items[:limit], items[limit - 1].id)
    return Page(items, reached, None if reached is None else min(id_time(reached), LATEST_MS))


def get(user_id: str, notification_id: str) -> Item:
    """One item of the user, archived and snoozed ones too; `NotFound` if it is deleted, expired or recalled."""
    return get_many(user_id, [notification_id])[0]


def get_many(user_id: str, ids: Sequence[str], *, deleted: bool = False) -> list[Item]:
    """These items of the user, in the order given; `NotFound` if one is missing. `deleted` lets deleted ones pass."""
    if not all(is_id(notification_id) for notification_id in ids):
        raise NotFound("There is no such notification")
    found = _by_id(user_id, ids, deleted)
    if len(found) < len(set(ids)) and catch_up(user_id):
        # A link may be the first that its reader opens: the broadcast behind it was not in the inbox yet.
        found = _by_id(user_id, ids, deleted)
    try:
        return [found[notification_id] for notification_id in dict.fromkeys(ids)]
    except KeyError:
        raise NotFound("There is no such notification") from None


def _by_id(user_id: str, ids: Sequence[str], deleted: bool) -> dict[str, Item]:
    alive = "" if deleted else f" AND {KEPT}"
    now = now_ms()
    found: dict[str, Item] = {}
    for part in in_batches(ids):
        source, values = named(user_id, part)
        items = read_items(f"{source} AND {VISIBLE}{alive}", [*values, now], user_id)
        found |= {item.id: item for item in items}
    return found


def among(user_id: str, ids: Sequence[str]) -> list[Item]:
    """Those of these items that the user can see, in the order given."""
    found = _by_id(user_id, ids, deleted=False)
    return [found[notification_id] for notification_id in ids if notification_id in found]


def known_among(ids: Sequence[str]) -> set[str]:
    """Those of these notifications to one user that this user has read or deleted."""
    known: set[str] = set()
    for part in in_batches(ids):
        rows = run(
            "SELECT n.id FROM notiway_notification n JOIN notiway_inbox_item i ON i.notification_id = n.id"
            f" WHERE n.id IN ({marks(part)}) AND n.audience = 'user:' || i.user_id"
            " AND (i.read_at IS NOT NULL OR i.deleted_at IS NOT NULL)",
            part,
        ).fetchall()
        known |= {row[0] for row in rows}
    return known


def newest_id(user_id: str) -> str:
    """The id of the user's newest item, or an empty text."""
    row = run(
        "SELECT notification_id FROM notiway_inbox_item WHERE user_id = ? ORDER BY notification_id DESC LIMIT 1",
        (user_id,),
    ).fetchone()
    return row[0] if row else ""


def mark_read(user_id: str, ids: Sequence[str], press: int | None = None) -> list[Item]:
    """Mark items read (and seen); returns them. `NotFound`, and nothing changed, if one is not the user's.

    Those that a `press` reads are its own until somebody reads them singly (store/changes/presses.py).
    """
    now = now_ms()
    own = "NULL" if press is None else f"CASE WHEN read_at IS NULL THEN {int(press)} ELSE press END"
    change = f"read_at = COALESCE(read_at, ?), seen_at = COALESCE(seen_at, ?), press = {own}"
    return change_items(user_id, ids, change, (now, now))


def mark_unread(user_id: str, ids: Sequence[str]) -> list[Item]:
    """Mark items unread; returns them."""
    return change_items(user_id, ids, "read_at = NULL, press = NULL")


def mark_seen(user_id: str, ids: Sequence[str]) -> None:
    """Note that items were shown to the user; that does not make them read. One may have been deleted meanwhile."""
    _set(user_id, ids, "seen_at = COALESCE(seen_at, ?)", (now_ms(),), deleted=True)


class Name(NamedTuple):
    """What devices know an item by: the id, or the producer's id and the audience."""

    id: str
    public_id: str
    audience: str


def unread_matching(user_id: str, filters: Filters, below: str | None, limit: int) -> tuple[list[str], str | None]:
    """The newest unread items that pass the filters, below the id `below` (None: of all), at most `limit`: their ids.

    With them, the id below which there may be more; None if there is none.
    """
    if filters.state not in ("all", "unread"):
        return [], None
    items, reached = finding.newest(user_id, replace(filters, state="unread"), now=now_ms(), before=below, limit=limit)
    ids = [item.id for item in items]
    return ids, ids[-1] if len(ids) == limit else reached


def mark_all_read(user_id: str, before: str | None = None) -> tuple[list[Name], int | None]:
    """Mark everything read up to and including the id `before`; without it, everything there is. All or nothing.

    Returns what was marked of that which is there for the user, and the number of this press
    (store/changes/presses.py). Others run between two parts.
    """
    now = now_ms()
    cutoff = " AND i.notification_id <= ?" if before else ""
    oldest = (
        f"SELECT i.notification_id, COALESCE(n.dedupe_key, n.id), n.audience, {VISIBLE} {FROM_UNREAD}"
        f" AND i.read_at IS NULL AND i.deleted_at IS NULL AND i.notification_id > ?{cutoff}"
        " ORDER BY i.notification_id LIMIT ?"
    )
    marked: list[Name] = []
    last, owner = "", f"user:{user_id}"
    with db.atomic():
        press = note_change(user_id)
        while True:
            rows = run(oldest, (now, user_id, last, *([before] if before else []), MARK_BATCH)).fetchall()
            if rows:
                run(
                    "UPDATE notiway_inbox_item SET read_at = ?, seen_at = COALESCE(seen_at, ?), press = ?"
                    f" WHERE user_id = ? AND notification_id IN ({marks(rows)})",
                    (now, now, press, user_id, *(row[0] for row in rows)),
                )
            marked += [Name(row[0], row[1], owner if row[2] == SEVERAL else row[2]) for row in rows if row[3]]
            if len(rows) < MARK_BATCH:
                return marked, press
            last = rows[-1][0]
            pause()


def delete(user_id: str, ids: Sequence[str]) -> list[Item]:
    """Hide items; the rows stay, so that `restore` works and a broadcast is not pulled again."""
    change = "deleted_at = COALESCE(deleted_at, ?), archived_at = NULL, snoozed_until = NULL"
    return change_items(user_id, ids, change, (now_ms(),), deleted=True)


def restore(user_id: str, ids: Sequence[str]) -> list[Item]:
    """Put items back into the list, wherever they are now; returns them as they are then."""
    change_items(user_id, ids, "deleted_at = NULL, archived_at = NULL, snoozed_until = NULL", deleted=True)
    return get_many(user_id, ids)


def change_items(
    user_id: str, ids: Sequence[str], change: str, params: tuple[Any, ...] = (), deleted: bool = False
) -> list[Item]:
    """Set columns of these items; returns them as they were. `NotFound`, and nothing changed, if one is missing."""
    # First, so that whoever waits here holds no item that a pull waits for.
    note_change(user_id)
    return _set(user_id, ids, change, params, deleted)


def _set(
    user_id: str, ids: Sequence[str], change: str, params: tuple[Any, ...] = (), deleted: bool = False
) -> list[Item]:
    items = get_many(user_id, ids, deleted=deleted)
    for part in in_batches(ids):
        run(
            f"UPDATE notiway_inbox_item SET {change} WHERE user_id = ? AND notification_id IN ({marks(part)})",
            (*params, user_id, *part),
        )
    return items
