"""Readers: how many saw and how many read what staff sent; of a large broadcast a part is counted at a time."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from notiway.pausing import pause
from notiway.store.sql import run

WALK = 1_000  # inbox items that one statement counts
PARTS = 10  # statements for one page, beyond the first of each notification; the next page goes on where it ended
FRESH_SECONDS = 60.0  # how long a count of many items is shown again
KEPT = 500  # counts of large broadcasts that this process remembers
COUNT = (
    "SELECT COUNT(*), COUNT(seen_at), COUNT(read_at), MAX(user_id) FROM (SELECT user_id, seen_at, read_at"
    " FROM notiway_inbox_item WHERE notification_id = ? AND user_id > ? ORDER BY user_id LIMIT ?) AS part"
)

clock = time.monotonic


class Readers(NamedTuple):
    """How many saw it and how many read it; `whole` is False while there are more that nobody has looked at yet."""

    seen: int
    read: int
    whole: bool = True


@dataclass(slots=True)
class Walk:
    """How far the items of one notification have been counted, and what the last whole count was."""

    after: str = ""
    rows: int = 0
    seen: int = 0
    read: int = 0
    last: Readers | None = None
    ended_at: float = 0.0


_walks: OrderedDict[str, Walk] = OrderedDict()


def of(notification_ids: Sequence[str]) -> dict[str, Readers]:
    """The readers of each of these that is in an inbox.

    Up to `WALK` items are counted each time. Of more the count may be a minute old, or still be growing.
    """
    walks = {each: _walks.get(each) or Walk() for each in notification_ids}
    due = [each for each, walk in walks.items() if walk.last is None or clock() - walk.ended_at > FRESH_SECONDS]
    unfinished = [each for each in due if not _step(each, walks[each])]
    parts = PARTS
    while unfinished and parts:
        parts -= 1
        pause()
        if _step(unfinished[0], walks[unfinished[0]]):
            unfinished.pop(0)
    return {each: found for each, walk in walks.items() if (found := _found(walk)) is not None}


def _step(notification_id: str, walk: Walk) -> bool:
    """Count a part; whether that was the last one."""
    after = walk.after
    rows, seen, read, last = run(COUNT, (notification_id, after, WALK)).fetchone()
    if walk.after != after:  # somebody else counted this part meanwhile
        return False
    walk.rows, walk.seen, walk.read = walk.rows + rows, walk.seen + seen, walk.read + read
    if rows == WALK:
        walk.after = last
        _remember(notification_id, walk)
        return False
    walk.last, walk.ended_at = Readers(walk.seen, walk.read) if walk.rows else None, clock()
    walk.after, walk.rows, walk.seen, walk.read = "", 0, 0, 0
    return True


def _remember(notification_id: str, walk: Walk) -> None:
    _walks[notification_id] = walk
    _walks.move_to_end(notification_id)
    while len(_walks) > KEPT:
        _walks.popitem(last=False)


def _found(walk: Walk) -> Readers | None:
    if walk.last is not None:
        return walk.last
    return Readers(walk.seen, walk.read, whole=False) if walk.rows else None
