"""Notification ids: uuid7 text, so that sorting by id sorts by time."""

from __future__ import annotations

import re
import time

import uuid_utils

from notiway.values import clock
from notiway.values.clock import now_ms

AHEAD_MS = 5 * 60 * 1000  # an id that carries a later time was made while a clock was wrong
ID_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
UUID_BITS = 128
NANOSECONDS = 1_000_000  # in a millisecond
TIME_SHIFT = 80  # RFC 9562 §5.7: the first 48 bits are milliseconds since the epoch


def new_id() -> str:
    """A fresh uuid7 (RFC 9562 §5.7); rising within this process, unless its clock was far ahead and was corrected."""
    if (stopped := clock.stopped_at()) is not None:
        return str(uuid_utils.uuid7(nanoseconds=stopped * NANOSECONDS))
    made = str(uuid_utils.uuid7())
    if made < id_limit():
        return made
    return str(uuid_utils.uuid7(nanoseconds=time.time_ns()))


def new_ids(count: int) -> list[str]:
    """So many of them, rising; at less than half the cost of each alone."""
    if clock.stopped_at() is not None:
        return sorted(new_id() for _ in range(count))
    limit = id_limit()
    made = [str(uuid_utils.uuid7()) for _ in range(count)]
    return made if not made or made[-1] < limit else [new_id() for _ in range(count)]


def id_limit() -> str:
    """Ids from here on were made while a clock was wrong: nothing goes on from them."""
    return id_floor(now_ms() + AHEAD_MS)


def is_id(text: object) -> bool:
    """Whether the text could be the id of a notification."""
    return isinstance(text, str) and ID_PATTERN.fullmatch(text) is not None


def id_after(previous: str) -> str:
    """The smallest uuid7-shaped id above `previous`, for a clock that stands still or runs back."""
    number = int(previous.replace("-", ""), 16)
    tail = (number & ((1 << 62) - 1)) + 1  # the random bits below the variant
    digits = f"{(number >> 62 << 62) | tail:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def id_floor(at_ms: int) -> str:
    """The lowest id that a notification of that millisecond could have."""
    digits = f"{max(at_ms, 0):012x}"
    return f"{digits[:8]}-{digits[8:]}-7000-8000-000000000000"


def id_time(notification_id: str) -> int:
    """The milliseconds since the epoch that an id carries."""
    return int(notification_id.replace("-", ""), 16) >> TIME_SHIFT
