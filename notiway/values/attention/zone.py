"""Zone: the time zones of the IANA database, and moments by the clock on a reader's wall."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# What stands in the database beside the places that people choose from.
NOT_FOR_PEOPLE = ("Etc/", "SystemV/", "US/", "posix/", "right/")
SECOND = timedelta(seconds=1)


@cache
def known() -> frozenset[str]:
    """Every name that the database knows."""
    return frozenset(available_timezones())


@cache
def offered() -> tuple[str, ...]:
    """The names to choose from, UTC first, then places in the order of their names.

    >>> offered()[0], "Europe/Berlin" in offered()
    ('UTC', True)
    """
    places = [name for name in known() if "/" in name and not name.startswith(NOT_FOR_PEOPLE)]
    return ("UTC", *sorted(places))


def local(name: str, at: datetime) -> datetime:
    """A moment as the wall clock of that zone shows it."""
    return at.astimezone(ZoneInfo(name))


def moment_of(name: str, day: date, at: time, *, last: bool = False) -> datetime:
    """When the wall clock of a zone shows that time of that day, as UTC.

    A time that a clock set back shows twice is the first of the two, with `last` the second. A time that a clock set
    forward leaps over is the moment of the leap.

    >>> moment_of("Europe/Berlin", date(2026, 3, 29), time(2, 30)).isoformat()
    '2026-03-29T01:00:00+00:00'
    """
    zone = ZoneInfo(name)
    wall = datetime.combine(day, at, zone)
    early, late = (wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if early <= late:
        return late if last else early
    # The time does not exist: between the two readings of it the offset changes.
    low, high = late, early
    before = low.astimezone(zone).utcoffset()
    while high - low > SECOND:
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return (high + SECOND / 2).replace(microsecond=0)
