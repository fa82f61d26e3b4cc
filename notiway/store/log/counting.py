"""Counting: how many items of a user are unread, broadcasts that are not in the inbox yet included.

To be counted, a broadcast needs no row in the inbox: it is in the log behind the user's cursor. So a broadcast to ten
thousand users who see its badge costs one row; whoever opens the list has theirs written then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from notiway.store.log import positions
from notiway.store.log.pulling import AHEAD, MISSING, ONE_USER, pull
from notiway.store.rows import FROM_UNREAD, VISIBLE
from notiway.store.sql import each_of, has_one_writer, run
from notiway.values.clock import now_ms
from notiway.values.count import Count
from notiway.values.event import COUNT_CAP

LOOKED_AT = 150  # broadcasts behind the cursor; where these do not say it all, rows are written and the cursor moves
UNREAD = f"SELECT 1 {FROM_UNREAD} AND i.read_at IS NULL AND i.deleted_at IS NULL AND {VISIBLE} LIMIT {COUNT_CAP}"
COUNT = f"SELECT COUNT(*) FROM ({UNREAD}) AS capped"
IS_FRESH = f"CASE WHEN {VISIBLE} AND {MISSING.format(user='u.value')} THEN 1 ELSE 0 END AS is_fresh"
FRESH = (
    f"FROM (SELECT {IS_FRESH} FROM notiway_notification n WHERE n.audience = 'global' AND {AHEAD} UNION ALL"
    f" SELECT {IS_FRESH} FROM notiway_membership m CROSS JOIN notiway_notification n"
    f" WHERE m.user_id = u.value AND n.audience = m.audience AND {AHEAD} LIMIT {LOOKED_AT}) AS looked_at"
)
COUNTED = (
    f"SELECT u.value, ({COUNT.replace('i.user_id = ?', 'i.user_id = u.value')}),"
    f" (SELECT COUNT(*) * {2 * LOOKED_AT} + COALESCE(SUM(is_fresh), 0) {FRESH}), c.user_id IS NULL, {{as_of}}"
    " FROM {users} LEFT JOIN notiway_inbox_cursor c ON c.user_id = u.value"
)


def unread_count(user_id: str) -> int:
    """How many visible items of the inbox are unread, `COUNT_CAP` at most; what is not in it yet is not counted."""
    return int(run(COUNT, (user_id, now_ms())).fetchone()[0])


def arrive(user_id: str) -> Count:
    """The unread count of somebody who may be new here, broadcasts included: what a connection begins with."""
    return _counts(ONE_USER, user_id)[user_id]


def unread_counts(user_ids: Sequence[str]) -> dict[str, Count]:
    """The same for many users in one statement."""
    return _counts(*each_of(user_ids))


def _counts(source: str, listed: Any) -> dict[str, Count]:
    found, behind = _look(source, listed)
    if behind:
        pull(behind)
        again, _ = _look(*each_of(behind))
        found |= again
    return found


def _look(source: str, listed: Any) -> tuple[dict[str, Count], list[str]]:
    """The counts, and for whom something must be pulled first."""
    now = now_ms()
    rows: Iterable[Any] = run(_counted(source, has_one_writer()), (now, now, now, listed)).fetchall()
    found: dict[str, Count] = {}
    behind = []
    for user_id, unread, packed, is_new, as_of in rows:
        looked_at, fresh = divmod(packed, 2 * LOOKED_AT)
        count = min(unread + fresh, COUNT_CAP)
        found[user_id] = Count(count, as_of)
        if is_new or (looked_at == LOOKED_AT and count < COUNT_CAP):
            behind.append(user_id)
    return found, behind


@cache
def _counted(source: str, has_one_writer: bool) -> str:
    as_of = positions.TAKEN_SO_FAR if has_one_writer else positions.BEGUN_SO_FAR
    return COUNTED.format(users=source, as_of=as_of)
