"""Zone: moments by the wall clock, also in the two nights in which it is changed."""

from datetime import UTC, date, datetime, time

import pytest

from notiway.values.attention import zone

# The wall clock that is asked for, and what UTC shows the first and the last time that it is seen.
NIGHTS = [
    ("Europe/Berlin", date(2026, 3, 29), "01:59", "00:59", "00:59"),
    ("Europe/Berlin", date(2026, 3, 29), "02:00", "01:00", "01:00"),  # is not on the clock, nor is …
    ("Europe/Berlin", date(2026, 3, 29), "02:30", "01:00", "01:00"),  # … this: it leaps at 01:00 UTC
    ("Europe/Berlin", date(2026, 3, 29), "03:00", "01:00", "01:00"),
    ("Europe/Berlin", date(2026, 10, 25), "01:59", "23:59", "23:59"),
    ("Europe/Berlin", date(2026, 10, 25), "02:30", "00:30", "01:30"),  # is seen twice
    ("Europe/Berlin", date(2026, 10, 25), "03:00", "02:00", "02:00"),
    ("America/New_York", date(2026, 3, 8), "02:30", "07:00", "07:00"),
    ("America/New_York", date(2026, 11, 1), "01:30", "05:30", "06:30"),
    ("Asia/Kathmandu", date(2026, 5, 5), "08:00", "02:15", "02:15"),
]


@pytest.mark.parametrize(("name", "day", "wall", "first", "last"), NIGHTS)
def test_a_time_of_day_becomes_a_moment(name, day, wall, first, last):
    at = time.fromisoformat(wall)
    assert f"{zone.moment_of(name, day, at):%H:%M}" == first
    assert f"{zone.moment_of(name, day, at, last=True):%H:%M}" == last


def test_the_moment_of_a_leap_is_exact():
    assert zone.moment_of("Europe/Berlin", date(2026, 3, 29), time(2, 17)) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_people_choose_from_places_and_utc():
    offered = zone.offered()
    assert offered[0] == "UTC"
    assert {"Europe/Berlin", "America/New_York", "Asia/Kathmandu"} <= set(offered)
    assert not [name for name in offered if name.startswith(("Etc/", "posix"))]
    assert set(offered) <= zone.known()
