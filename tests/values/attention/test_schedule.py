"""Schedule: quiet hours in the reader's own time zone, through midnight, weeks and both changes of the clock."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notiway.values.attention.schedule import DAYS, Schedule, merged
from notiway.values.clock import milliseconds, moment

NIGHTLY = Schedule(on=True, begins="22:00", ends="07:00")


def at(zone, text):
    """Milliseconds of a wall clock."""
    return milliseconds(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def on_the_wall(zone, windows):
    """Windows as the wall clock shows them."""
    return [tuple(f"{moment(each).astimezone(ZoneInfo(zone)):%a %H:%M}" for each in window) for window in windows]


def hours(window):
    return (window[1] - window[0]) / 3_600_000


def test_without_a_schedule_it_is_never_quiet():
    assert Schedule(on=False).windows("Europe/Berlin", 0) == []


def test_hours_over_midnight_end_the_next_day():
    windows = NIGHTLY.windows("Europe/Berlin", at("Europe/Berlin", "2026-06-01T12:00"))  # a Monday
    assert on_the_wall("Europe/Berlin", windows)[:2] == [("Mon 22:00", "Tue 07:00"), ("Tue 22:00", "Wed 07:00")]


def test_the_hours_of_yesterday_go_on_this_morning():
    windows = NIGHTLY.windows("Europe/Berlin", at("Europe/Berlin", "2026-06-02T06:59"))
    assert on_the_wall("Europe/Berlin", windows)[0] == ("Mon 22:00", "Tue 07:00")


def test_they_are_over_at_the_minute_that_they_name():
    now = at("Europe/Berlin", "2026-06-02T07:00")
    assert on_the_wall("Europe/Berlin", NIGHTLY.windows("Europe/Berlin", now))[0] == ("Tue 22:00", "Wed 07:00")


def test_days_are_those_on_which_hours_begin():
    schedule = Schedule(on=True, days=("fri", "sat"), begins="23:00", ends="09:00")
    windows = schedule.windows("America/New_York", at("America/New_York", "2026-06-03T12:00"))
    assert on_the_wall("America/New_York", windows) == [("Fri 23:00", "Sat 09:00"), ("Sat 23:00", "Sun 09:00")]


def test_the_same_time_twice_is_a_whole_day_and_days_in_a_row_are_one_window():
    schedule = Schedule(on=True, days=("sat", "sun"), begins="00:00", ends="00:00")
    windows = schedule.windows("Europe/Berlin", at("Europe/Berlin", "2026-06-03T12:00"))
    assert on_the_wall("Europe/Berlin", windows) == [("Sat 00:00", "Mon 00:00")]


@pytest.mark.parametrize(
    ("zone", "evening", "length"),
    [
        ("Europe/Berlin", "2026-03-28T12:00", 8),  # the clock leaps over an hour
        ("Europe/Berlin", "2026-10-24T12:00", 10),  # and shows one twice
        ("America/New_York", "2026-03-07T12:00", 8),
        ("America/New_York", "2026-10-31T12:00", 10),
        ("Europe/Berlin", "2026-06-06T12:00", 9),
    ],
)
def test_a_night_ends_by_the_clock_on_the_wall_however_long_it_is(zone, evening, length):
    window = NIGHTLY.windows(zone, at(zone, evening))[0]
    assert on_the_wall(zone, [window])[0][1].endswith("07:00")
    assert hours(window) == length


@pytest.mark.parametrize(
    ("zone", "noon", "ends", "until"),
    [
        ("Europe/Berlin", "2026-03-28T12:00", "02:30", "2026-03-29T01:00Z"),  # which that night has not
        ("Europe/Berlin", "2026-10-24T12:00", "02:30", "2026-10-25T01:30Z"),  # the second one: until then it is night
        ("America/New_York", "2026-03-07T12:00", "02:30", "2026-03-08T07:00Z"),
        ("America/New_York", "2026-10-31T12:00", "01:30", "2026-11-01T06:30Z"),
    ],
)
def test_an_end_within_the_hour_that_is_changed(zone, noon, ends, until):
    window = Schedule(on=True, begins="22:00", ends=ends).windows(zone, at(zone, noon))[0]
    assert moment(window[1]) == datetime.fromisoformat(until)


def test_windows_that_touch_or_overlap_are_one_and_empty_ones_none():
    assert merged([(5, 9), (1, 5), (7, 8), (20, 20)]) == [(1, 9)]


MINUTES = st.integers(0, 24 * 60 - 1).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Niue"]),
    st.sets(st.sampled_from(DAYS), min_size=1),
    MINUTES,
    MINUTES,
    st.integers(at("UTC", "2026-01-01T00:00"), at("UTC", "2027-12-31T00:00")),
)
@example("Europe/Berlin", {"sat"}, "02:30", "02:30", at("Europe/Berlin", "2026-03-28T03:00"))
def test_at_every_moment_of_the_week_it_is_as_quiet_as_the_wall_clock_says(zone, days, begins, ends, now):
    """Against the plain reading of a wall clock; not near the hours that are changed."""
    schedule = Schedule(on=True, days=tuple(each for each in DAYS if each in days), begins=begins, ends=ends)
    windows = schedule.windows(zone, now)
    assert windows == merged(windows)
    for step in range(0, 7 * 48, 5):
        probe = now + step * 1_800_000
        local = moment(probe).astimezone(ZoneInfo(zone))
        steady = {
            (moment(probe) + timedelta(hours=shift)).astimezone(ZoneInfo(zone)).utcoffset() for shift in (-26, 26)
        }
        if len(steady) > 1:
            continue
        wall = f"{local:%H:%M}"
        today, yesterday = (DAYS[(local - timedelta(days=back)).weekday()] in days for back in (0, 1))
        if ends > begins:
            expected = today and begins <= wall < ends
        else:
            expected = (today and wall >= begins) or (yesterday and wall < ends)
        assert any(start <= probe < end for start, end in windows) == expected, (wall, windows)
