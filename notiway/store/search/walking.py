"""Walking: an inbox is looked through in parts, newest first, and others run between two of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from notiway.pausing import in_stretches, pause
from notiway.store.rows import FROM_INBOX, FROM_UNREAD, read_items
from notiway.store.search.filters import Filters, says
from notiway.store.sql import BY_UNREAD, in_batches, marks, run
from notiway.values.item import Item

WALK = 500  # items that one statement looks at: a millisecond or two
PARTS = 40  # that one search looks through at most; then whoever asked may ask to go on
WORK_SECONDS = 0.012  # of CPU, all parts together: then it ends as well
AT_ONCE = 100  # of items named beforehand that one statement looks at
OLDEST = (
    "SELECT notification_id FROM notiway_inbox_item{hint} WHERE user_id = ?{unread}{before}"
    " ORDER BY notification_id DESC LIMIT 1 OFFSET ?"
)
UNREAD = " AND read_at IS NULL AND deleted_at IS NULL"

clock = time.thread_time


class Part(NamedTuple):
    """What was found, and how far the search looked: the id below which there may be more, None if there is none."""

    items: list[Item]
    reached: str | None


def walk(user_id: str, filters: Filters, *, now: int, before: str | None, limit: int, parts: int | None = None) -> Part:
    """The newest items of the user that pass the filters, `limit` at most, older than `before`; `now` in ms.

    It looks at so many `parts` of the inbox at most. Without filters the first statement finds everything.
    """
    found: list[Item] = []
    worked = 0.0
    for number in range(PARTS if parts is None else parts):
        if number:
            pause()
        began = clock()
        oldest = _oldest(user_id, filters.unread, before) if filters.may_be_rare else None
        bounds = {test: bound for test, bound in (("<", before), (">=", oldest)) if bound}
        named = "".join(f" AND i.notification_id {test} ?" for test in bounds)
        found += look(user_id, filters, named, list(bounds.values()), now=now, limit=limit - len(found))
        if len(found) == limit or oldest is None:
            return Part(found, None)
        before = oldest
        worked += clock() - began
        if worked > WORK_SECONDS:
            break
    return Part(found, before)


def among(user_id: str, filters: Filters, ids: Sequence[str], *, now: int, limit: int) -> list[Item]:
    """Those of these items, newest first, that are the user's and pass the filters, `limit` at most."""
    found: list[Item] = []
    for part in in_batches(ids, AT_ONCE):
        found += look(
            user_id, filters, f" AND i.notification_id IN ({marks(part)})", part, now=now, limit=limit - len(found)
        )
        if len(found) == limit:
            break
    return found


def look(user_id: str, filters: Filters, named: str, values: Sequence[Any], *, now: int, limit: int) -> list[Item]:
    """One statement's worth: the newest items that pass, of those that the condition `named` leaves."""
    conditions, wanted = filters.conditions(now)
    tail = f"{FROM_UNREAD if filters.unread else FROM_INBOX}{conditions}{named} ORDER BY i.notification_id DESC"
    params = (user_id, *wanted, *values)
    if not filters.text:
        return read_items(f"{tail} LIMIT ?", (*params, limit))
    words = filters.words
    rows = run(f"SELECT n.id, n.title, n.message {tail}", params).fetchall()
    ids = [row[0] for row in in_stretches(rows) if says(words, row[1], row[2])][:limit]
    if not ids:
        return []
    return read_items(
        f"{FROM_INBOX} AND i.notification_id IN ({marks(ids)}) ORDER BY i.notification_id DESC", (user_id, *ids)
    )


def _oldest(user_id: str, unread: bool, before: str | None) -> str | None:
    """The last item of the next part; None if that is the last part."""
    text = OLDEST.format(
        hint=BY_UNREAD if unread else "",
        unread=UNREAD if unread else "",
        before=" AND notification_id < ?" if before else "",
    )
    row = run(text, (user_id, *([before] if before else []), WALK - 1)).fetchone()
    return None if row is None else str(row[0])
