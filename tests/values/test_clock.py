"""Clock: moments are whole milliseconds since the epoch, whatever the zone they were given in."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notiway.values import clock
from notiway.values.clock import EARLIEST_MS, LATEST_MS

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


class NoOffset(tzinfo):
    """A zone that does not say how far it is from UTC."""

    def utcoffset(self, _):
        return None


def test_the_present_is_in_milliseconds(monkeypatch):
    monkeypatch.setattr(clock.time, "time_ns", lambda: 1_700_000_000_123_456_789)
    assert clock.now_ms() == 1_700_000_000_123


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime.fromisoformat("1970-01-01T00:00:01"), 1_000),
        (datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), 0),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (datetime(1970, 1, 1, 0, 0, 1, tzinfo=NoOffset()), 1_000),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 253_402_300_799_999),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))), 253_402_351_199_999),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), -62_135_647_200_000),
    ],
)
def test_a_moment_is_rounded_down_to_milliseconds_and_a_naive_one_is_utc(moment, expected):
    assert clock.milliseconds(moment) == expected


@pytest.mark.parametrize("at_ms", [0, 1, 999, 1_700_000_000_123, 253_402_300_799_999])
def test_a_moment_comes_back_as_it_was(at_ms):
    assert clock.milliseconds(clock.moment(at_ms)) == at_ms
    assert clock.milliseconds(datetime.fromisoformat(clock.iso(at_ms))) == at_ms
    assert clock.iso(at_ms).endswith("Z")


def test_the_first_and_the_last_moment_are_those_of_their_years():
    assert clock.iso(EARLIEST_MS) == "1970-01-01T00:00:00.000Z"
    assert clock.iso(LATEST_MS) == "9998-12-31T23:59:59.999Z"


@given(st.datetimes(timezones=ZONES))
def test_whatever_lies_between_them_can_be_told_again(given_moment):
    at_ms = clock.milliseconds(given_moment)
    if EARLIEST_MS <= at_ms <= LATEST_MS:
        assert abs(clock.moment(at_ms) - given_moment) < timedelta(milliseconds=1)
        assert clock.milliseconds(clock.moment(at_ms)) == at_ms


@given(st.integers(EARLIEST_MS, LATEST_MS))
def test_every_millisecond_between_them_is_kept(at_ms):
    assert clock.milliseconds(datetime.fromisoformat(clock.iso(at_ms))) == at_ms
