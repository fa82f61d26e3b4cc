"""Resuming: what came to a user since some point, in the order of the log, page by page without a gap or a repeat.

A client that names an id gets an overlap before it, for Events may overtake each other on their way; it drops what it
has by id. A cursor is exact: it names what could be seen when its page was read (docs/adr/0014).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from typing import Any

from notiway.store.log import eras, positions
from notiway.store.log.positions import Seen
from notiway.store.log.pulling import catch_up
from notiway.store.rows import FROM_INBOX, VISIBLE, read_placed
from notiway.values.clock import now_ms
from notiway.values.event import UNDER_WAY_SECONDS
from notiway.values.ids import id_limit, id_time, is_id
from notiway.values.item import Item

OVERLAP_MS = UNDER_WAY_SECONDS * 1000  # so long may an Event be under way after a later one has been heard
PREFIX = "c."  # of a cursor as text: no id begins like that
MAX_TEXT = 8_192  # characters
MAX_OPEN = 1_000  # transactions that were open at once
BEFORE_ERAS = 4  # values in a cursor that an earlier version gave out
NUMBERS = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reader has come: `seen` is done; of what `until` could see beyond it, all up to `last` is.

    >>> Cursor.from_text(Cursor(Seen(7, 7)).as_text()).seen.low
    7
    """

    seen: Seen
    until: Seen | None = None
    last: tuple[int, str] | None = None  # position and id of the last item on the page
    but: str = ""  # an id that the reader has
    era: str = ""  # of the database that gave it out (store/log/eras.py); empty: not known
    at: int = 0  # when `seen` was read, in milliseconds since the epoch

    def as_text(self) -> str:
        """Opaque to clients, and made of characters that need no escaping in an URL."""
        until = None if self.until is None else _numbers(self.until)
        raw = json.dumps([_numbers(self.seen), until, self.last, self.but, self.era, self.at], separators=(",", ":"))
        return PREFIX + base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str) -> Cursor:
        """The reverse; `ValueError` for everything else."""
        if not text.startswith(PREFIX) or len(text) > MAX_TEXT or not text.isascii():
            raise ValueError("this is not a cursor")
        raw = text[len(PREFIX) :]
        try:
            said = json.loads(base64.b64decode(raw + "=" * (-len(raw) % 4), "-_", validate=True))
            seen, until, last, but, era, at = [*said, "", 0] if len(said) == BEFORE_ERAS else said
            if last is not None:
                position, item_id = last
                last = (_number(position), item_id)
        except (TypeError, RecursionError) as error:
            raise ValueError("this is not a cursor") from error
        if not all(each == "" or is_id(each) for each in (but, last[1] if last else "")):
            raise ValueError("this is not a cursor")
        if not isinstance(era, str):
            raise ValueError("this is not a cursor")
        return cls(_seen(seen), None if until is None else _seen(until), last, but, era, _number(at))


@dataclass(frozen=True, slots=True)
class Page:
    """Items in the order of the log, and from where to read on; `more` if there is something already."""

    items: list[Item]
    cursor: Cursor
    more: bool


def beginning() -> Cursor:
    """The cursor before everything."""
    return Cursor(Seen(positions.LOWEST, positions.LOWEST))


def after(notification_id: str) -> Cursor:
    """The cursor of a reader that heard this id last: an overlap before it is read again, but not itself.

    An id that is far ahead of the clock says nothing about what came when: all is read again. So it is if what is older
    by its id came later: it was made by a process whose clock was ahead, as that of this one may be.
    """
    start: int | None = None
    if notification_id < id_limit():
        start = positions.before(notification_id, id_time(notification_id) - OVERLAP_MS)
    if start is None:
        return replace(beginning(), but=notification_id)
    return Cursor(Seen(start, start), but=notification_id)


def since(text: str) -> Cursor:
    """What a client names: a cursor, or the id of a notification; nothing is the beginning. `ValueError` if neither."""
    if not text:
        return beginning()
    return after(text) if is_id(text) else Cursor.from_text(text)


def page(user_id: str, cursor: Cursor, limit: int) -> Page:
    """What came to the user after a cursor, at most `limit` items; broadcasts are pulled first.

    >>> resuming.page("42", resuming.since(request.args["since"]), 50)  # doctest: +SKIP
    """
    found: list[tuple[Item, int]] = []
    era = eras.current()
    if cursor.era not in ("", era):
        cursor = _in_another_era(cursor)
    while True:
        is_present = cursor.until is None
        at = now_ms()
        # Before the pull: a broadcast that commits after it is neither in the inbox nor seen.
        until = positions.now() if cursor.until is None else cursor.until
        if is_present:
            if cursor.seen.low > until.high:
                cursor = beginning()  # from a database that was replaced by a backup, or by another server's dump
            catch_up(user_id)
        room = limit - len(found)
        rows = _read(user_id, cursor, until, room + 1)
        found += rows[:room]
        if len(rows) > room:
            last = (rows[room - 1][1], rows[room - 1][0].id) if room else cursor.last
            rest = replace(cursor, until=until, last=last, era=era)
            return Page([item for item, _ in found], rest, more=True)
        cursor = Cursor(until, era=era, at=at)
        if is_present:
            return Page([item for item, _ in found], cursor, more=False)


def _in_another_era(cursor: Cursor) -> Cursor:
    """Its positions say nothing here. What came after it was given out is read, as after an id of that moment."""
    if not cursor.at:
        return beginning()
    start = positions.at(cursor.at - OVERLAP_MS)
    return Cursor(Seen(start, start), but=cursor.but)


def _read(user_id: str, cursor: Cursor, until: Seen, limit: int) -> list[tuple[Item, int]]:
    position, last_id = cursor.last or (cursor.seen.low, "")
    beyond, numbers = cursor.seen.beyond("i.position")
    within, more_numbers = until.within("i.position")
    return read_placed(
        f"{FROM_INBOX} AND i.deleted_at IS NULL AND {VISIBLE} AND i.position >= ?"
        f" AND (i.position > ? OR i.notification_id > ?) AND {beyond} AND {within} AND i.notification_id <> ?"
        " ORDER BY i.position, i.notification_id LIMIT ?",
        (user_id, now_ms(), position, position, last_id, *numbers, *more_numbers, cursor.but, limit),
    )


def _numbers(seen: Seen) -> list[Any]:
    return [seen.low, seen.high, seen.open]


def _seen(values: Any) -> Seen:
    low, high, listed = values
    if not isinstance(listed, list) or len(listed) > MAX_OPEN:
        raise ValueError("this is not a cursor")
    return Seen(_number(low), _number(high), tuple(map(_number, listed)))


def _number(value: Any) -> int:
    if type(value) is not int or value not in NUMBERS:
        raise ValueError("this is not a cursor")
    return value
