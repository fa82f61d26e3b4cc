"""Presses: one "mark all as read" each, known by the number of that change, so that it can be undone exactly.

The items that a press read carry its number until they are read singly or marked unread. So nothing has to be
remembered beside them, however many there are, and no list comes back from a client.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from notiway.store.changes.counter import note_change
from notiway.store.inbox import Name
from notiway.store.rows import KEPT, SEVERAL, VISIBLE, named
from notiway.store.sql import marks, run
from notiway.values.clock import now_ms
from notiway.values.ids import is_id

PART = 500  # items that one statement looks at
# The one index that has them in order, whatever a planner thinks of the user's inbox; others' follow the last.
SEEK = (
    "SELECT user_id, notification_id, press FROM notiway_inbox_item WHERE (user_id, notification_id) > (?, ?)"
    " ORDER BY user_id, notification_id LIMIT ?"
)
TEXT = re.compile(r"([0-9]{1,18})\.([0-9a-f-]{36})\.([0-9a-f-]{36})")


class Press(NamedTuple):
    """What a press is found by: its number, and the oldest and the newest of the items that it read.

    >>> item = "01a1fb6f-c229-72e7-b053-226348921859"
    >>> Press.from_text(Press(7, item, item).as_text()).number
    7
    """

    number: int
    oldest: str
    newest: str

    def as_text(self) -> str:
        """For clients, who give it back as it is."""
        return f"{self.number}.{self.oldest}.{self.newest}"

    @classmethod
    def of(cls, number: int | None, ids: Sequence[str]) -> Press | None:
        """The press that read these items; None if there is nothing to undo."""
        return cls(number, min(ids), max(ids)) if ids and number is not None else None

    @classmethod
    def from_text(cls, text: str) -> Press:
        """The reverse of `as_text`; `ValueError` for everything else."""
        found = TEXT.fullmatch(text)
        if found is None or not (is_id(found[2]) and is_id(found[3])):
            raise ValueError("this names no press")
        return cls(int(found[1]), found[2], found[3])


def take_back(user_id: str, press: Press, after: str = "") -> tuple[list[Name], str | None]:
    """Inside a transaction: mark the next of its items unread, at most `PART` above the id `after`.

    Returns those that the user can see, and the id to go on after; None at the end.
    """
    note_change(user_id)
    rows = run(SEEK, (user_id, after or press.oldest[:-1], PART)).fetchall()  # a part of a text sorts before it
    part = [(row[1], row[2]) for row in rows if row[0] == user_id and row[1] <= press.newest]
    ids = [notification_id for notification_id, number in part if number == press.number]
    names: list[Name] = []
    if ids:
        names = _names(user_id, ids)
        run(
            f"UPDATE notiway_inbox_item SET read_at = NULL, press = NULL WHERE user_id = ? AND press = ?"
            f" AND notification_id IN ({marks(ids)})",
            (user_id, press.number, *ids),
        )
    return names, part[-1][0] if len(part) == PART else None


def _names(user_id: str, ids: Sequence[str]) -> list[Name]:
    source, values = named(user_id, ids)
    rows = run(
        f"SELECT n.id, COALESCE(n.dedupe_key, n.id), n.audience {source} AND {VISIBLE} AND {KEPT}", (*values, now_ms())
    ).fetchall()
    return sorted(Name(row[0], row[1], f"user:{user_id}" if row[2] == SEVERAL else row[2]) for row in rows)
