"""Positions: places in the log. Everything before a position is decided: it is committed, or it never will be.

An id is no position: of two transactions the one that made the smaller id may commit last. SQLite has one writer, so
there a number taken under its lock follows the commits. On PostgreSQL the position of a row is the number of its
transaction, and what is decided ends where the oldest transaction begins that is still open (docs/adr/0014).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from notiway.store.sql import has_one_writer, in_batches, marks, run
from notiway.values.ids import id_floor

log = logging.getLogger(__name__)

LOWEST = -(2**62)  # before every row
OWN = "CAST(CAST(pg_current_xact_id() AS text) AS bigint)"
OLDEST_OPEN = "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"
TAKE = (
    "INSERT INTO notiway_counter (name, value) VALUES ('position', ?)"
    " ON CONFLICT (name) DO UPDATE SET value = notiway_counter.value + excluded.value RETURNING value"
)
MEASURED = {
    "notiway_notification": ("position", "horizon"),
    "notiway_inbox_item": ("position",),
    "notiway_inbox_cursor": ("position",),
}
NEWEST = (
    "SELECT GREATEST((SELECT MAX(position) FROM notiway_notification),"
    " (SELECT MAX(position) FROM notiway_inbox_cursor)),"
    " CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)"
)
NEWEST_BEFORE = "SELECT horizon FROM notiway_notification WHERE id < ? ORDER BY id DESC LIMIT 1"  # a moment's id
TAKEN = "SELECT value FROM notiway_counter WHERE name = 'position'"
# No row that the statement sees has a higher position.
TAKEN_SO_FAR = f"COALESCE(({TAKEN}), 0)"
BEGUN_SO_FAR = "CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint) - 1"


@dataclass(frozen=True, slots=True)
class Seen:
    """Which positions a reader could see at one moment: all below `low`, none from `high` on, in between not `open`.

    >>> Seen(5, 8, (6,)).beyond("position")
    ('(position >= ? AND (position >= ? OR position IN (?)))', (5, 8, 6))
    """

    low: int
    high: int
    open: tuple[int, ...] = ()

    def within(self, column: str) -> tuple[str, tuple[int, ...]]:
        """SQL that holds for the positions that were seen, and its parameters."""
        but = f" AND {column} NOT IN ({marks(self.open)})" if self.open else ""
        return f"({column} < ? OR ({column} < ?{but}))", (self.low, self.high, *self.open)

    def beyond(self, column: str) -> tuple[str, tuple[int, ...]]:
        """The same for all other positions."""
        late = f" OR {column} IN ({marks(self.open)})" if self.open else ""
        return f"({column} >= ? AND ({column} >= ?{late}))", (self.low, self.high, *self.open)


def take() -> int | None:
    """The position of what is written now, inside a transaction; None where the database gives it by itself."""
    return reserve(1) if has_one_writer() else None


def reserve(count: int) -> int:
    """The first of so many positions in a row, for what is written now, where the database does not give them."""
    return int(run(TAKE, (count,)).fetchall()[0][0]) - count + 1


def here() -> tuple[str, tuple[int, ...]]:
    """SQL for the position of what is written now, with its parameters."""
    taken = take()
    return (OWN, ()) if taken is None else ("?", (taken,))


def now() -> Seen:
    """What can be seen at this moment. Read it before the rows that are to be measured by it."""
    if has_one_writer():
        row = run(TAKEN).fetchone()
        after = 1 if row is None else row[0] + 1
        return Seen(after, after)
    return _seen(run("SELECT CAST(pg_current_snapshot() AS text)").fetchone()[0])


def now_and_own() -> Seen:
    """What can be seen at this moment, and what this transaction has written; call it inside one."""
    if has_one_writer():
        return now()
    text, own = run(f"SELECT CAST(pg_current_snapshot() AS text), {OWN}").fetchone()
    seen = _seen(text)
    if own < seen.high:  # a snapshot never lists its own transaction as open
        return seen
    return Seen(seen.low, own + 1, (*seen.open, *range(seen.high, own)))  # those have begun since, and are not seen


def _seen(text: str) -> Seen:
    low, high, listed = text.split(":")
    return Seen(int(low), int(high), tuple(map(int, filter(None, listed.split(",")))))


def of(ids: Sequence[str]) -> dict[str, int]:
    """Where these notifications stand."""
    found: dict[str, int] = {}
    for part in in_batches(ids):
        rows = run(f"SELECT id, position FROM notiway_notification WHERE id IN ({marks(part)})", part).fetchall()
        found |= {row[0]: int(row[1]) for row in rows}
    return found


def decided() -> int:
    """The position up to which everything is decided now."""
    return now().low


def number_anew(database: peewee.Database) -> bool:
    """Bring positions from another server's future back, after a dump was loaded here; whether there were any.

    What is written from now on would lie before them, and be passed over by every cursor.
    """
    if database.param == "?":
        return False
    execute: Callable[..., Any] = database.execute_sql
    newest, ahead = execute(NEWEST).fetchone()
    if newest is None or newest < ahead:
        return False
    log.warning("positions are of another PostgreSQL server, whose dump was loaded: rows and cursors are numbered anew")
    with database.atomic():
        for table, columns in MEASURED.items():
            moved = ", ".join(f"{column} = {column} - %s" for column in columns)
            execute(f"UPDATE {table} SET {moved}", [newest - ahead + 2] * len(columns))
    return True


def at(at_ms: int) -> int:
    """The position to read from, so that nothing that was committed at or after this moment is missed.

    `at_ms` is in milliseconds since the epoch. A transaction that was still open then is read too.
    """
    row = run(NEWEST_BEFORE, (id_floor(at_ms),)).fetchone()
    return LOWEST if row is None else int(row[0])


def before(notification_id: str, at_ms: int) -> int | None:
    """As `at`, for a reader who heard this notification after that moment.

    None if what is older by its id came later: a clock was wrong, and the moment says nothing.
    """
    own = "SELECT position FROM notiway_notification WHERE id = ?"
    start, position = run(f"SELECT ({NEWEST_BEFORE}), ({own})", (id_floor(at_ms), notification_id)).fetchone()
    if start is None:
        return LOWEST
    return None if position is not None and int(position) < int(start) else int(start)
