"""Schedule: the hours of a week in which a reader wants quiet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time, timedelta

from notiway.values.attention import zone as zones
from notiway.values.clock import milliseconds, moment

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HORIZON_DAYS = 8  # how far ahead quiet hours are worked out: a whole week, and the window that goes on into the next

Window = tuple[int, int]  # from, until: milliseconds since the epoch


@dataclass(frozen=True, slots=True)
class Schedule:
    """Quiet hours on some days of the week, from a time until another; those until a time before it end the next day.

    >>> Schedule(on=True, days=("mon",), begins="22:00", ends="07:00").windows("UTC", 0)[0]
    (424800000, 457200000)
    """

    on: bool = False
    days: tuple[str, ...] = DAYS  # on which they begin
    begins: str = "22:00"
    ends: str = "07:00"  # the same as `begins`: a whole day

    def windows(self, zone: str, now_ms: int) -> list[Window]:
        """The quiet hours that are not over, of the coming days, in their order and without overlaps."""
        if not self.on:
            return []
        begins, ends = time.fromisoformat(self.begins), time.fromisoformat(self.ends)
        today = zones.local(zone, moment(now_ms)).date()
        found = []
        for ahead in range(-2, HORIZON_DAYS + 1):  # a day and a half lies between the ends of the earth
            day = today + timedelta(days=ahead)
            if DAYS[day.weekday()] not in self.days:
                continue
            last = day if ends > begins else day + timedelta(days=1)
            start = milliseconds(zones.moment_of(zone, day, begins))
            # Where a clock is set back, hours that a reader calls quiet are quiet both times.
            found.append((start, milliseconds(zones.moment_of(zone, last, ends, last=True))))
        return merged((start, end) for start, end in found if end > now_ms)


def merged(windows: Iterable[Window]) -> list[Window]:
    """Windows in order, each pair that touches or overlaps as one.

    >>> merged([(5, 9), (1, 5)])
    [(1, 9)]
    """
    joined: list[Window] = []
    for start, end in sorted(windows):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
