"""Days: the headings Today, Yesterday and Earlier, below which the rows of a list stand."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date, timedelta

from notiway.values.attention import zone as zones
from notiway.values.clock import moment
from notiway.values.item import Item

Days = list[tuple[str, list[Item]]]  # a heading, empty for none, and the rows below it


def by_day(items: Sequence[Item], zone: str, now: int) -> Days:
    """The rows by the day on which they came, in their order, as a wall clock in this time zone has it; `now` in ms."""
    today = zones.local(zone, moment(now)).date()
    grouped = itertools.groupby(items, lambda item: heading(zones.local(zone, item.created).date(), today))
    return [(day, list(rows)) for day, rows in grouped]


def heading(day: date, today: date) -> str:
    """What stands above the rows of a day.

    >>> heading(date(2026, 3, 1), date(2026, 3, 2)), heading(date(2026, 1, 1), date(2026, 3, 2))
    ('Yesterday', 'Earlier')
    """
    if day >= today:
        return "Today"
    return "Yesterday" if day == today - timedelta(days=1) else "Earlier"
