"""Pulling: brings broadcasts into the inboxes of those they are for, each once, however late they commit.

A user's cursor is a position: every broadcast before it is in the inbox. A pull reads from there, inserts what is
missing, and moves the cursor to where everything is decided; what is not decided yet is read again the next time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from weakref import WeakKeyDictionary

import peewee

from notiway.pausing import pause
from notiway.store.database import db
from notiway.store.log import positions
from notiway.store.rows import VISIBLE
from notiway.store.sql import BY_AUDIENCE, IF_IT_STAYS, IN_ORDER, each_of, has_one_writer, in_batches, marks, run
from notiway.store.writing import deliver_to, holders_among
from notiway.values.clock import DAY_MS, now_ms
from notiway.values.ids import id_floor
from notiway.values.item import ANNOUNCEMENT

BATCH = 500  # rows in one statement
TOGETHER = 8  # batches for many users at once; whoever is further behind is brought up alone
STANDING = 100  # announcements from before the backlog that a newcomer gets, the newest

# A user is behind if there is anything at or after the cursor. Where other transactions may keep that undecided for an
# hour, only what is not in the inbox counts.
AHEAD = "n.position >= c.position"
MISSING = "NOT EXISTS (SELECT 1 FROM notiway_inbox_item i WHERE i.user_id = {user} AND i.notification_id = n.id)"
AHEAD_OF_OPEN = f"{AHEAD} AND (n.position < {positions.OLDEST_OPEN} OR {MISSING.format(user='u.value')})"
BEHIND = (
    "SELECT u.value FROM {users} LEFT JOIN notiway_inbox_cursor c ON c.user_id = u.value WHERE c.user_id IS NULL"
    " OR EXISTS (SELECT 1 FROM notiway_notification n WHERE n.audience = 'global' AND {ahead})"
    " OR EXISTS (SELECT 1 FROM notiway_membership m CROSS JOIN notiway_notification n"
    " WHERE m.user_id = u.value AND n.audience = m.audience AND {ahead})"
)
ONE_USER = "(SELECT CAST(? AS text) AS value) u"
# Whoever listens to what; the order of the tables is fixed for SQLite's planner.
PULL = (
    "INSERT INTO notiway_inbox_item (user_id, notification_id, created_at, position, group_key)"
    " SELECT found.user_id, found.id, ?, found.position, found.group_key"
    " FROM (SELECT a.user_id, n.id, n.position, n.group_key"
    " FROM (SELECT u.value AS user_id, 'global' AS audience FROM {users} UNION ALL"
    " SELECT m.user_id, m.audience FROM {users} CROSS JOIN notiway_membership m WHERE m.user_id = u.value) a"
    " CROSS JOIN notiway_inbox_cursor c CROSS JOIN notiway_notification n"
    f" WHERE c.user_id = a.user_id AND n.audience = a.audience AND {AHEAD}"
    f" AND {VISIBLE} AND {MISSING.format(user='a.user_id')} LIMIT ?{IF_IT_STAYS}) AS found WHERE true{IN_ORDER}"
    " ON CONFLICT (user_id, notification_id) DO NOTHING"
)
MOVE = "UPDATE notiway_inbox_cursor SET position = ? WHERE user_id IN (SELECT u.value FROM {users})"
BEGIN = "INSERT INTO notiway_inbox_cursor (user_id, position) VALUES (?, ?) ON CONFLICT (user_id) DO NOTHING"
STEP = f"SELECT n.id, n.position, {VISIBLE} AND {MISSING.format(user='?')} FROM notiway_notification n"
BY_POSITION = (
    " WHERE n.audience = ? AND n.position >= ? AND (n.position > ? OR n.id > ?) ORDER BY n.position, n.id LIMIT ?"
)
BY_ID = f"{BY_AUDIENCE} WHERE n.audience = ? AND n.id > ? ORDER BY n.id LIMIT ?"

GUESTS = (
    "SELECT u.value FROM {users} WHERE NOT EXISTS"
    " (SELECT 1 FROM notiway_membership m WHERE m.user_id = u.value AND m.audience = ?)"
)

BACKLOG_DAYS = 7.0

_backlogs: WeakKeyDictionary[peewee.Database, float] = WeakKeyDictionary()


def keep_backlog(database: peewee.Database, days: float) -> None:
    """Say how many days before the first look a newcomer's inbox begins in this database (NOTIWAY_BACKLOG_DAYS)."""
    _backlogs[database] = days


def backlog_of(database: peewee.Database) -> float:
    """What was said of this database."""
    return _backlogs.get(database, BACKLOG_DAYS)


def behind_clause(source: str) -> str:
    """SQL for those of the users in `source` who have something to pull, or a cursor to move."""
    return _behind(source, AHEAD if has_one_writer() else AHEAD_OF_OPEN)


@cache
def _behind(source: str, ahead: str) -> str:
    return BEHIND.format(users=source, ahead=ahead)


def behind(user_ids: Sequence[str]) -> list[str]:
    """Those of these users who have something to pull, or a cursor to move."""
    source, listed = each_of(user_ids)
    return [row[0] for row in run(behind_clause(source), (listed,)).fetchall()]


def catch_up(user_id: str) -> int:
    """Pull the broadcasts that came since the last time; returns how many."""
    is_behind = run(behind_clause(ONE_USER), (user_id,)).fetchone() is not None
    return pull([user_id]) if is_behind else 0


def pull(user_ids: Sequence[str]) -> int:
    """Pull for each of these users what is not in the inbox yet; returns how many items that were."""
    return sum(_pull_together(part) for part in in_batches(sorted(user_ids)))


def give_to_guests(audience: str, ids: Sequence[str], listeners: Sequence[str]) -> list[str]:
    """Put what was sent to a tenant or group into the inboxes of listeners that are no members; who these are.

    Members have it by pulling.
    """
    source, listed = each_of(listeners)
    guests = [row[0] for row in run(GUESTS.format(users=source), (listed, audience)).fetchall()]
    for notification_id in ids if guests else ():
        new = sorted(set(guests) - set(holders_among(notification_id, guests)))
        if new:
            with db.atomic():
                deliver_to([notification_id], new, arriving=True)
    return guests


def pull_audience(user_id: str, audience: str, since_ms: int = 0) -> None:
    """Put what stands for one audience into a user's inbox, where it arrives now, whatever its age.

    With `since_ms` what is older stays away, except announcements.
    """
    if since_ms:
        _arrive(user_id, _announcements([audience], id_floor(since_ms)))
    for ids in _walk(user_id, audience, id_floor(since_ms)):
        _arrive(user_id, ids)


def backlog_begins() -> int:
    """From when on a newcomer gets broadcasts, in milliseconds since the epoch."""
    return int(now_ms() - backlog_of(db.obj) * DAY_MS)


def hold_cursors(user_ids: Sequence[str]) -> list[str]:
    """Inside a transaction: keep these users' cursors where they are until it ends; those who have one."""
    source, listed = each_of(user_ids)
    lock = "" if has_one_writer() else " ORDER BY c.user_id FOR NO KEY UPDATE OF c"
    query = f"SELECT c.user_id FROM {source} CROSS JOIN notiway_inbox_cursor c WHERE c.user_id = u.value{lock}"
    return [row[0] for row in run(query, (listed,)).fetchall()]


def _pull_together(user_ids: Sequence[str]) -> int:
    source, listed = each_of(user_ids)
    count = 0
    for _ in range(TOGETHER):
        with db.atomic():
            known = hold_cursors(user_ids)
            decided = positions.decided()
            now = now_ms()
            pulled: int = run(PULL.format(users=source), (now, listed, listed, now, BATCH)).rowcount
            if known and pulled < BATCH:
                _move(known, decided)
        count += pulled
        if pulled < BATCH:
            return count + sum(_pull_alone(newcomer) for newcomer in sorted(set(user_ids) - set(known)))
        _pause()
    return count + sum(map(_pull_alone, user_ids))


def _pull_alone(user_id: str) -> int:
    """The same for a newcomer, or for someone who is far behind: one audience after the other."""
    decided = positions.decided()
    begins = id_floor(backlog_begins())
    done: set[str] = set()
    count = 0
    while True:
        with db.atomic():
            is_known = bool(hold_cursors([user_id]))
            # Whoever joins holds the cursor too, so an audience that cannot be seen here is pulled there.
            audiences = [key for key in _audiences(user_id) if key not in done]
            if not audiences:
                if is_known:
                    _move([user_id], decided)
                else:
                    run(BEGIN, (user_id, decided))
                return count
        if not is_known:
            count += _deliver(user_id, _announcements(audiences, begins))
        for audience in audiences:
            start = _cursor(user_id) if is_known else begins
            count += sum(_deliver(user_id, ids) for ids in _walk(user_id, audience, start))
            done.add(audience)


def _walk(user_id: str, audience: str, start: int | str) -> Iterator[list[str]]:
    """The ids of an audience's broadcasts from a position or an id on, as far as they stand and are not there yet."""
    last: tuple[int, str] | str = start if isinstance(start, str) else (start, "")
    while True:
        if isinstance(last, str):
            rows = run(STEP + BY_ID, (now_ms(), user_id, audience, last, BATCH)).fetchall()
        else:
            place = (last[0], last[0], last[1])
            rows = run(STEP + BY_POSITION, (now_ms(), user_id, audience, *place, BATCH)).fetchall()
        if missing := [row[0] for row in rows if row[2]]:
            yield missing
        if len(rows) < BATCH:
            return
        last = rows[-1][0] if isinstance(last, str) else (rows[-1][1], rows[-1][0])
        _pause()


def _announcements(audiences: Sequence[str], before: str) -> list[str]:
    # The name is written out, so that the index on announcements is taken.
    rows = run(
        f"SELECT n.id FROM notiway_notification n WHERE n.name = '{ANNOUNCEMENT}' AND n.id < ? AND {VISIBLE}"
        f" AND n.audience IN ({marks(audiences)}) ORDER BY n.id DESC LIMIT ?",
        (before, now_ms(), *audiences, STANDING),
    ).fetchall()
    return [row[0] for row in rows]


def _audiences(user_id: str) -> list[str]:
    rows = run("SELECT audience FROM notiway_membership WHERE user_id = ?", (user_id,)).fetchall()
    return ["global", *(row[0] for row in rows)]


def _cursor(user_id: str) -> int:
    row = run("SELECT position FROM notiway_inbox_cursor WHERE user_id = ?", (user_id,)).fetchone()
    return positions.LOWEST if row is None else int(row[0])


def _move(user_ids: Sequence[str], position: int) -> None:
    source, listed = each_of(user_ids)
    run(MOVE.format(users=source), (position, listed))


def _deliver(user_id: str, ids: Sequence[str]) -> int:
    with db.atomic():
        return deliver_to(ids, [user_id])


def _arrive(user_id: str, ids: Sequence[str]) -> None:
    with db.atomic():
        deliver_to(ids, [user_id], arriving=True)


def _pause() -> None:
    """Let others run between two batches, unless a caller's transaction is open anyway."""
    if not db.in_transaction():
        pause()
