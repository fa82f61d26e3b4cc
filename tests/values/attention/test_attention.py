"""Attention: pauses, quiet hours and what is stored of them."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from notiway.values.attention.attention import Attention
from notiway.values.attention.schedule import Schedule
from notiway.values.clock import milliseconds, moment

BERLIN = "Europe/Berlin"
NIGHTLY = Schedule(on=True, begins="22:00", ends="07:00")


def at(text, zone=BERLIN):
    return milliseconds(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def wall(ms, zone=BERLIN):
    return f"{moment(ms).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def test_whoever_has_said_nothing_is_never_quiet():
    assert Attention().quiet(0) == []
    assert Attention().quiet_until(0) is None


@pytest.mark.parametrize(("length", "minutes"), [("30m", 30), ("1h", 60)])
def test_a_pause_lasts_as_long_as_it_says(length, minutes):
    paused = Attention().with_pause(length, 1_000)
    assert paused.quiet_until(1_000) == 1_000 + minutes * 60_000
    assert paused.quiet_until(paused.paused_until) is None


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-06-01T14:00", "2026-06-02 08:00"),
        ("2026-06-01T23:59", "2026-06-02 08:00"),
        ("2026-06-02T01:30", "2026-06-02 08:00"),  # whoever is up late means the morning that comes
        ("2026-06-02T04:00", "2026-06-03 08:00"),
        ("2026-03-28T20:00", "2026-03-29 08:00"),  # an hour less
        ("2026-10-24T20:00", "2026-10-25 08:00"),  # an hour more
    ],
)
def test_tomorrow_is_eight_by_the_readers_clock(now, until):
    assert wall(Attention(zone=BERLIN).with_pause("tomorrow", at(now)).quiet_until(at(now))) == until


def test_a_pause_that_runs_into_quiet_hours_ends_with_them():
    paused = Attention(zone=BERLIN, schedule=NIGHTLY).with_pause("1h", at("2026-06-01T21:30"))
    assert wall(paused.quiet_until(at("2026-06-01T21:30"))) == "2026-06-02 07:00"


def test_turning_it_off_ends_the_hours_of_this_night_and_no_others():
    now = at("2026-06-01T23:00")
    awake = Attention(zone=BERLIN, schedule=NIGHTLY).with_pause("off", now)
    assert awake.quiet_until(now) is None
    assert wall(awake.quiet(now)[0][0]) == "2026-06-02 22:00"
    later = at("2026-06-02T23:00")
    assert wall(awake.quiet_until(later)) == "2026-06-03 07:00"


def test_a_pause_after_that_is_no_longer_than_it_says():
    now = at("2026-06-01T23:00")
    paused = Attention(zone=BERLIN, schedule=NIGHTLY).with_pause("off", now).with_pause("30m", now)
    assert wall(paused.quiet_until(now)) == "2026-06-01 23:30"


def test_only_what_differs_is_stored_and_it_comes_back_as_it_was():
    assert Attention().as_dict() == {}
    changed = Attention(zone=BERLIN, schedule=NIGHTLY, sound=True, categories={"orders": {"toast": False}})
    plain = json.loads(json.dumps(changed.as_dict()))
    assert set(plain) == {"zone", "schedule", "sound", "categories"}
    assert Attention.from_dict(plain) == changed


def test_what_a_newer_version_stored_is_passed_over():
    assert Attention.from_dict({"sound": True, "smell": "roses"}) == Attention(sound=True)


def test_a_page_whose_clock_is_a_little_late_is_quiet_at_once():
    [(begins, _)] = Attention().with_pause("1h", 10_000_000).quiet(10_000_000)
    assert begins < 10_000_000 - 30_000


def test_a_pause_that_is_over_says_nothing():
    assert Attention(paused_until=5_000).quiet(5_000) == []
