"""Grouping: what a list shows as one row: the items of a user that share a group key, in the place of the newest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from notiway.pausing import pause
from notiway.store import inbox
from notiway.store.inbox import Page
from notiway.store.rows import VISIBLE, read_items
from notiway.store.search import finding
from notiway.store.search.filters import Filters
from notiway.store.sql import BY_GROUP, has_one_writer, run
from notiway.values.clock import LATEST_MS, now_ms
from notiway.values.ids import id_time
from notiway.values.item import Item

STATES = ("all", "unread")  # of lists that are grouped; what is searched for is shown one by one
MOST = 100  # members that are counted
LOOKED_AT = 500  # members that one statement looks at
AT_ONCE, PARTS = 200, 20  # items that a page looks through, for as many rows as it has
ABOVE = "z"  # above every id, in every collation

# As in `walking`: PostgreSQL is left with one index that has the members in their order.
CUT = (
    f"SELECT * FROM notiway_inbox_item{BY_GROUP} WHERE user_id = ? AND group_key = ? AND deleted_at IS NULL"
    " AND notification_id < ? ORDER BY notification_id DESC"
)
SEEK = (
    "SELECT * FROM notiway_inbox_item WHERE (user_id, group_key, notification_id) < (?, ?, ?)"
    " AND group_key IS NOT NULL AND deleted_at IS NULL ORDER BY user_id DESC, group_key DESC, notification_id DESC"
)
MEMBERS = (
    "FROM ({cut} LIMIT {looked_at}) i CROSS JOIN notiway_notification n"
    f" WHERE n.id = i.notification_id AND i.user_id = ? AND i.group_key = ? AND {VISIBLE}{{more}}"
    " ORDER BY i.notification_id DESC LIMIT {limit}"
)


@dataclass(frozen=True, slots=True)
class Group:
    """What a row says of the group that it stands for.

    `count` and `unread` are `MOST` at most. `actors` are who did it, each once, the newest first.
    """

    key: str
    count: int
    unread: int
    actors: tuple[str, ...]
    ids: tuple[str, ...]

    def phrase(self, title: str) -> str:
        """The title of the newest member for all of them, where it begins with who did it.

        >>> Group("likes", 5, 0, ("Ann", "Ben", "Cy", "Dan", "Eve"), ()).phrase("Ann liked your post")
        'Ann, Ben and 3 others liked your post'
        """
        first, *rest = self.actors or ("",)
        if not rest or not title.startswith(f"{first} "):
            return title
        others = len(rest) - 1
        if others == 0:
            names = f"{first} and {rest[0]}"
        elif self.count >= MOST:
            names = f"{first}, {rest[0]} and many others"
        else:
            names = f"{first}, {rest[0]} and {others} {'other' if others == 1 else 'others'}"
        return names + title[len(first) :]


def page(user_id: str, state: str, *, before: str | None = None, limit: int = 20) -> tuple[Page, dict[str, Group]]:
    """The newest rows of a list, and for each item that stands for several the group, by its id.

    A group stands where its newest member does, and nowhere else. `before` is an item; only what is below it is there.
    """
    shown = heads(user_id, state, before=before, limit=limit)
    return shown, groups(user_id, state, shown.items)


def heads(user_id: str, state: str, *, before: str | None = None, limit: int = 20) -> Page:
    """The newest item of each of these rows, without the groups: for callers that do not draw the list."""
    inbox.catch_up(user_id)
    found, reached = _rows(user_id, state, before, limit)
    if reached is not None and len(found) < limit:
        return Page(found, reached, min(id_time(reached), LATEST_MS))
    return Page(found, reached)


def groups(user_id: str, state: str, items: Sequence[Item]) -> dict[str, Group]:
    """The groups that these items stand for, by their ids; an item that is alone has none."""
    found = {item.id: group(user_id, item.group_key, state) for item in items if item.group_key is not None}
    return {item_id: each for item_id, each in found.items() if each.count > 1}


def group(user_id: str, key: str, state: str) -> Group:
    """What there is of a group, in the state of a list."""
    rows = _look("n.id, n.actor, i.read_at IS NULL", user_id, key, state, None, MOST).fetchall()
    actors = dict.fromkeys(actor for _, actor, _ in rows if actor)
    return Group(key, len(rows), sum(bool(row[2]) for row in rows), tuple(actors), tuple(row[0] for row in rows))


def members(user_id: str, key: str, state: str = "all", *, before: str | None = None, limit: int = MOST) -> list[Item]:
    """The members of a group, the newest first, below the id `before`."""
    inbox.catch_up(user_id)
    tail, values = _statement(user_id, key, state, before, limit)
    return read_items(tail, values, user_id)


def ids(user_id: str, key: str, state: str, *, below: str, limit: int) -> list[str]:
    """The ids of a group's members below an id, the newest first."""
    return [row[0] for row in _look("n.id", user_id, key, state, below, limit).fetchall()]


def _rows(user_id: str, state: str, before: str | None, limit: int) -> tuple[list[Item], str | None]:
    """One item for each row, and the id below which there is more."""
    found: list[Item] = []
    shown: set[str | None] = set()
    cursor, size = before, limit + 1
    for number in range(PARTS):
        if number:
            pause()
        items = finding.newest(user_id, Filters(state), now=now_ms(), before=cursor, limit=size).items
        keys = {item.group_key for item in items if item.group_key is not None} - shown
        above = {key for key in keys if before is not None and _stands_above(user_id, str(key), state, before)}
        for item in items:
            if item.group_key is not None and item.group_key in shown | above:
                continue
            if len(found) == limit:
                return found, found[-1].id
            found.append(item)
            shown.add(item.group_key)
        if len(items) < size:
            return found, None
        shown |= above
        cursor, size = items[-1].id, AT_ONCE
    return found, cursor


def _stands_above(user_id: str, key: str, state: str, before: str) -> bool:
    """Whether a group has a member at `before` or above it, so that its row is on an earlier page."""
    newest = _look("n.id", user_id, key, state, None, 1).fetchone()
    return newest is not None and bool(newest[0] >= before)


def _look(columns: str, user_id: str, key: str, state: str, before: str | None, limit: int) -> Any:
    tail, values = _statement(user_id, key, state, before, limit)
    return run(f"SELECT {columns} {tail}", values)


def _statement(user_id: str, key: str, state: str, before: str | None, limit: int) -> tuple[str, list[Any]]:
    more = " AND i.read_at IS NULL" if state == "unread" else ""
    cut = CUT if has_one_writer() else SEEK
    tail = MEMBERS.format(cut=cut, looked_at=max(LOOKED_AT, limit), more=more, limit=limit)
    return tail, [user_id, key, before or ABOVE, user_id, key, now_ms()]
