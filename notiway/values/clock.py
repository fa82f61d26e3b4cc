"""Clock: moments as Notiway keeps them, whole milliseconds since the epoch, UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

DAY_MS = 24 * 60 * 60 * 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Every moment between these two can be written as a date, in any time zone, by any client.
EARLIEST_MS = 0
LATEST_MS = (datetime(9999, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1) - 1


_stopped: int | None = None  # by a test, in milliseconds


def now_ms() -> int:
    """The present, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000 if _stopped is None else _stopped


def stop_at(at_ms: int | None) -> None:
    """From now on the present is this moment, in all threads; None: it goes on. For tests (`notiway.testing.clock`)."""
    global _stopped
    _stopped = at_ms


def stopped_at() -> int | None:
    """The moment at which time stands still; None: it does not."""
    return _stopped


def milliseconds(moment: datetime) -> int:
    """An aware moment as milliseconds since the epoch, rounded down; a naive one is taken as UTC.

    In whole numbers: a float would round the last millisecond of the year 9999 up into the year 10000.

    >>> milliseconds(datetime(1970, 1, 1, 0, 0, 1))
    1000
    """
    aware = moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment
    since = aware - EPOCH
    return since.days * DAY_MS + since.seconds * 1000 + since.microseconds // 1000


def moment(at_ms: int) -> datetime:
    """Milliseconds since the epoch as an aware datetime, UTC; exact, as `milliseconds` is.

    >>> moment(0).isoformat()
    '1970-01-01T00:00:00+00:00'
    """
    return EPOCH + timedelta(milliseconds=at_ms)


def iso(at_ms: int) -> str:
    """Milliseconds since the epoch as ISO 8601 in UTC.

    >>> iso(0)
    '1970-01-01T00:00:00.000Z'
    """
    return moment(at_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
