"""Search: a large inbox is looked through in parts, newest first, and others run between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from notiway.pausing import pause
from notiway.store.rows import FROM_INBOX, FROM_UNREAD, VISIBLE, read_items
from notiway.store.sql import BY_UNREAD, contains, run
from notiway.values.item import Item

WALK = 1_000  # items that one statement looks at: some milliseconds
PARTS = 20  # that one search looks through; then whoever asked may ask to go on
OLDEST = (
    "SELECT notification_id FROM notiway_inbox_item{hint} WHERE user_id = ?{unread}{before}"
    " ORDER BY notification_id DESC LIMIT 1 OFFSET ?"
)
UNREAD = " AND read_at IS NULL AND deleted_at IS NULL"


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for: `state` is all, unread or read; `text` is looked for in title and message, in either case."""

    state: str = "all"
    type: str | None = None
    source: str | None = None
    priority: str | None = None
    text: str | None = None

    @property
    def unread(self) -> bool:
        """Whether only the unread are looked at, by their index."""
        return self.state == "unread"

    @property
    def may_be_rare(self) -> bool:
        """Whether most of what is looked at may not be what is looked for; if not, every unread item passes."""
        return self.state == "read" or any((self.type, self.source, self.priority, self.text))

    def conditions(self, now: int) -> tuple[str, list[Any]]:
        """The end of a statement, and its values."""
        where, values = ["i.deleted_at IS NULL", VISIBLE], list[Any]([now])
        if self.state in ("unread", "read"):
            where.append(f"i.read_at IS {'NULL' if self.unread else 'NOT NULL'}")
        for column, wanted in (("type", self.type), ("source", self.source), ("priority", self.priority)):
            if wanted:
                where.append(f"n.{column} = ?")
                values.append(wanted)
        if self.text:
            title, wanted_text = contains("n.title", self.text)
            message, _ = contains("n.message", self.text)
            where.append(f"({title} OR {message})")
            values += [wanted_text] * 2
        return "".join(f" AND {part}" for part in where), values


def newest(
    user_id: str, filters: Filters, *, now: int, before: str | None, limit: int
) -> tuple[list[Item], str | None]:
    """The newest items of the user that pass the filters, `limit` at most, older than `before`; `now` in ms.

    With them, how far it looked: the id below which there may be more, None if there is none.
    """
    found: list[Item] = []
    for _ in range(PARTS):
        oldest = _oldest(user_id, filters.unread, before) if filters.may_be_rare else None
        conditions, values = filters.conditions(now)
        for test, bound in (("<", before), (">=", oldest)):
            if bound:
                conditions += f" AND i.notification_id {test} ?"
                values.append(bound)
        found += read_items(
            f"{FROM_UNREAD if filters.unread else FROM_INBOX}{conditions} ORDER BY i.notification_id DESC LIMIT ?",
            (user_id, *values, limit - len(found)),
        )
        if len(found) == limit or oldest is None:
            return found, None
        before = oldest
        pause()
    return found, before


def _oldest(user_id: str, unread: bool, before: str | None) -> str | None:
    """The last item of the next part; None if that is the last part."""
    text = OLDEST.format(
        hint=BY_UNREAD if unread else "",
        unread=UNREAD if unread else "",
        before=" AND notification_id < ?" if before else "",
    )
    row = run(text, (user_id, *([before] if before else []), WALK - 1)).fetchone()
    return None if row is None else str(row[0])
