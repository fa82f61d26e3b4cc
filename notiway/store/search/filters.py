"""Filters: what a search lets in. SQL decides on the columns, and one function on the text, for every database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from notiway.store.rows import VISIBLE
from notiway.store.sql import BY_ARCHIVED, BY_SNOOZED, BY_UNREAD, json_text
from notiway.values.text.folding import fold, words

# What each state asks of an inbox item, and the index that holds only that: nothing else is looked at then.
STATES = {
    "all": (("deleted_at IS NULL",), ""),
    "unread": (("read_at IS NULL", "deleted_at IS NULL"), BY_UNREAD),
    "read": (("read_at IS NOT NULL", "deleted_at IS NULL"), ""),
    "archived": (("archived_at IS NOT NULL",), BY_ARCHIVED),
    "snoozed": (("snoozed_until IS NOT NULL",), BY_SNOOZED),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for: `state` is one of `STATES`; every word of `text` is in the title or the message."""

    state: str = "all"
    type: str | None = None
    source: str | None = None
    priority: str | None = None
    text: str | None = None
    category: str | None = None

    @property
    def index(self) -> str:
        """The hint for the index of nothing but this state; empty where there is none."""
        return STATES[self.state][1]

    @property
    def of_index(self) -> str:
        """The conditions that this index holds for, for a statement about inbox items alone."""
        return "".join(f" AND {part}" for part in STATES[self.state][0]) if self.index else ""

    @property
    def columns(self) -> dict[str, str]:
        """The columns of a notification that must hold a value, and which. The category is in none."""
        wanted = {"type": self.type, "source": self.source, "priority": self.priority}
        return {column: value for column, value in wanted.items() if value}

    @property
    def words(self) -> list[str]:
        """The words that are looked for, folded."""
        return words(self.text) if self.text else []

    @property
    def may_be_rare(self) -> bool:
        """Whether most of what is looked at may not be what is looked for; if not, every unread item passes."""
        return self.state == "read" or bool(self.columns or self.text or self.category)

    def conditions(self, now: int) -> tuple[str, list[Any]]:
        """The end of a statement for everything but the text, and its values."""
        where, values = [*(f"i.{part}" for part in STATES[self.state][0]), VISIBLE], list[Any]([now])
        for column, wanted in self.columns.items():
            where.append(f"n.{column} = ?")
            values.append(wanted)
        if self.category:
            where.append(f"{json_text('n.details', 'category')} = ?")
            values.append(self.category)
        return "".join(f" AND {part}" for part in where), values


def says(wanted: list[str], title: str, message: str) -> bool:
    """Whether each of these folded words is in the title or the message.

    >>> says(["paid", "voice"], "Invoice 7", "It was PAID"), says(["paid"], "Invoice 7", "")
    (True, False)
    """
    text = fold(f"{title}\n{message}")
    return all(word in text for word in wanted)
