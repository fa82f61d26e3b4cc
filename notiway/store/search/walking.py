"""Walking: an inbox is looked through in parts, newest first, and others run between two of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from notiway.pausing import in_stretches, pause
from notiway.store.rows import FROM_INBOX, named, read_items
from notiway.store.search.filters import Filters, says
from notiway.store.sql import has_one_writer, in_batches, run
from notiway.values.item import Item

WALK = 500  # items that one statement looks at: a millisecond or two
PARTS = 40  # that one search looks through at most; then whoever asked may ask to go on
WORK_SECONDS = 0.012  # of CPU, all parts together: then it ends as well
AT_ONCE = 100  # of items named beforehand that one statement looks at
# The part is cut out first: PostgreSQL might else look for it among the items of all users. Its size is written out,
# for a plan that is prepared without it takes a limit for a tenth of the table.
PART = "SELECT {columns} FROM notiway_inbox_item{hint} WHERE user_id = ?{state}{before} ORDER BY notification_id DESC"
# PostgreSQL prepares it for a user with few items, for whom sorting all of them seems as good as the one index that has
# them in order. Without the user as a condition nothing else is left; what follows the user's items is sorted out.
SEEK = (
    "SELECT {columns} FROM notiway_inbox_item WHERE (user_id, notification_id) < (?, ?){state}"
    " ORDER BY user_id DESC, notification_id DESC"
)
ABOVE = "z"  # above every id, in every collation
OF_PART = (
    "FROM ({part} LIMIT {size}) i CROSS JOIN notiway_notification n WHERE n.id = i.notification_id AND i.user_id = ?"
)
NEWEST_FIRST = " ORDER BY i.notification_id DESC"

clock = time.thread_time


class Part(NamedTuple):
    """What was found, and how far the search looked: the id below which there may be more, None if there is none."""

    items: list[Item]
    reached: str | None


def walk(user_id: str, filters: Filters, *, now: int, before: str | None, limit: int, parts: int | None = None) -> Part:
    """The newest items of the user that pass the filters, `limit` at most, older than `before`; `now` in ms.

    It looks at so many `parts` of the inbox at most. Where nearly everything passes, one statement finds all.
    """
    if not filters.may_be_rare:
        below = " AND i.notification_id < ?" if before else ""
        source = FROM_INBOX.replace(" i JOIN", f" i{filters.index} JOIN") + below
        return Part(_look(user_id, source, (user_id, *filter(None, [before])), filters, now, limit, NEWEST_FIRST), None)
    found: list[Item] = []
    worked = 0.0
    for number in range(PARTS if parts is None else parts):
        if number:
            pause()
        began = clock()
        part, values = _part(user_id, filters, before, "*")
        source = OF_PART.format(part=part, size=WALK)
        found += _look(user_id, source, [*values, user_id], filters, now, limit - len(found), NEWEST_FIRST)
        oldest = _oldest(user_id, filters, before) if len(found) < limit else None
        if oldest is None:
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
        found += _look(user_id, *named(user_id, part), filters, now, len(part))
        if len(found) >= limit:
            break
    return found[:limit]


def _look(
    user_id: str, source: str, values: Sequence[Any], filters: Filters, now: int, limit: int, order: str = ""
) -> list[Item]:
    """The items that pass, of those in `source`, the newest first; `limit` at most, if they come in order."""
    conditions, wanted = filters.conditions(now)
    tail, params = f"{source}{conditions}{order}", (*values, *wanted)
    if not filters.text:
        return _sorted(read_items(f"{tail} LIMIT {limit}", params, user_id))
    words = filters.words
    rows = run(f"SELECT n.id, n.title, n.message {tail}", params).fetchall()
    ids = [row[0] for row in in_stretches(rows) if says(words, row[1], row[2])][:limit]
    return _sorted(read_items(*named(user_id, ids), user_id)) if ids else []


def _sorted(items: list[Item]) -> list[Item]:
    return sorted(items, key=lambda item: item.id, reverse=True)


def _part(user_id: str, filters: Filters, before: str | None, columns: str) -> tuple[str, list[Any]]:
    """The user's items below an id, newest first, and what to fill in; on PostgreSQL others' may follow the last."""
    state = filters.of_index
    if not has_one_writer():
        return SEEK.format(columns=columns, state=state), [user_id, before or ABOVE]
    below = " AND notification_id < ?" if before else ""
    part = PART.format(columns=columns, hint=filters.index, state=state, before=below)
    return part, [user_id, *filter(None, [before])]


def _oldest(user_id: str, filters: Filters, before: str | None) -> str | None:
    """The last item of a part; None if nothing is behind it."""
    part, values = _part(user_id, filters, before, "notification_id, user_id")
    rows = run(f"{part} LIMIT 2 OFFSET {WALK - 1}", values).fetchall()
    return str(rows[0][0]) if [row[1] for row in rows] == [user_id] * 2 else None
