"""Hot statements as SQL text: the query builder costs ten times the statement (docs/explanation/performance.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from notiway.pausing import pause
from notiway.store.database import db
from notiway.store.engine.sqlite_guard import LOWER

# SQLite's planner would walk over all items of a user, and over all notifications since a user's last visit; others
# choose these indexes by themselves.
BY_INBOX = "+n.audience"  # it would sort all that was ever sent to an audience, instead of walking the inbox
BY_UNREAD = " INDEXED BY notiway_inbox_item_unread"
BY_ARCHIVED = " INDEXED BY notiway_inbox_item_archived"
BY_SNOOZED = " INDEXED BY notiway_inbox_item_snoozed"
BY_GROUP = " INDEXED BY notiway_inbox_item_group"
BY_AUDIENCE = " INDEXED BY notiway_notification_audience_id"
BY_USERS_NUMBER = " INDEXED BY notiway_search_entry_user_id_number"

# Where several transactions write at once, they take rows in one order, or two could wait for each other.
IN_ORDER = " ORDER BY 1, 2"

# Where a notification may be removed between two looks at it, a row that refers to it takes hold of it first: one that
# is gone by then is left out, instead of failing the statement. SQLite has one writer, and no such clause.
IF_IT_STAYS = " FOR KEY SHARE OF n"

BATCH = 500  # values in one statement
LIKE_ESCAPE = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})

Value = TypeVar("Value")


def has_one_writer() -> bool:
    """Whether the database lets one transaction write at a time, as SQLite does: ids then follow commits."""
    return bool(db.obj.param == "?")


def run(text: str, params: Sequence[Any] = ()) -> Any:
    """Execute SQL written with `?` on whichever database is bound; returns the cursor."""
    database = db.obj
    return database.execute_sql(_in_dialect(text, database.param), params)


def run_many(text: str, rows: Sequence[Sequence[Any]]) -> None:
    """Execute it once for each row, in one call of the driver, inside a transaction; nobody else runs meanwhile."""
    database = db.obj
    database.notiway_guard.execute_many(_in_dialect(text, database.param), rows)


@lru_cache(maxsize=1024)
def _in_dialect(text: str, param: str) -> str:
    if param == "?":
        return text.replace(IN_ORDER, "").replace(IF_IT_STAYS, "")
    for hint in (BY_UNREAD, BY_GROUP, BY_ARCHIVED, BY_SNOOZED, BY_AUDIENCE, BY_USERS_NUMBER):
        text = text.replace(hint, "")
    return text.replace(BY_INBOX, BY_INBOX[1:]).replace("?", param)


def marks(values: Sequence[Any]) -> str:
    """`?,?,?`: as many placeholders as there are values."""
    return ",".join("?" * len(values))


def each_of(values: Sequence[str]) -> tuple[str, Any]:
    """A table `u` with the one column `value` for a FROM clause, and the parameter that fills it."""
    if has_one_writer():
        return "json_each(?) u", json.dumps(list(values))
    return "unnest(CAST(? AS text[])) AS u(value)", list(values)


def json_text(column: str, key: str) -> str:
    """SQL for the text that a JSON object in a column of text has under a key; both are written out as they stand."""
    if has_one_writer():
        return f"json_extract({column}, '$.{key}')"
    return f"(CAST({column} AS json) ->> '{key}')"


def in_batches(values: Sequence[Value], size: int = BATCH) -> Iterator[Sequence[Value]]:
    """The values in parts, so that no statement grows with what a caller gives; others run between two parts.

    >>> [list(part) for part in in_batches("abc", 2)]
    [['a', 'b'], ['c']]
    """
    for start in range(0, len(values), size):
        if start:
            pause()
        yield values[start : start + size]


def contains(column: str, text: str) -> tuple[str, str]:
    """SQL that holds where a column has this text in it, in either case, and its parameter."""
    if has_one_writer() and not text.isascii():  # SQLite's own LOWER knows A to Z only
        return f"{LOWER}({column}) LIKE ? ESCAPE '\\'", f"%{like(text.lower())}%"
    return f"LOWER({column}) LIKE LOWER(?) ESCAPE '\\'", f"%{like(text)}%"


def like(text: str) -> str:
    """The text for a LIKE pattern with ESCAPE '\\', which finds it as it stands."""
    return text.translate(LIKE_ESCAPE)
