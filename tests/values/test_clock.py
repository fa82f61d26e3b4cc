"""Clock: whole milliseconds, exact at both ends, and which moments everything here can be told in."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notiway.values.clock import EARLIEST_MS, LATEST_MS, iso, milliseconds, moment

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


class NoOffset(tzinfo):
    """A zone that does not say how far it is from UTC."""

    def utcoffset(self, _):
        return None


@pytest.mark.parametrize(
    ("given_moment", "at_ms"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, microsecond=999, tzinfo=UTC), 0),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (datetime(1970, 1, 1, 0, 0, 1), 1_000),  # noqa: DTZ001 - a naive one is taken as UTC
        (datetime(1970, 1, 1, 0, 0, 1, tzinfo=NoOffset()), 1_000),
        (datetime.max.replace(tzinfo=UTC), 253_402_300_799_999),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))), 253_402_351_199_999),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), -62_135_647_200_000),
    ],
)
def test_moments_are_counted_exactly(given_moment, at_ms):
    assert milliseconds(given_moment) == at_ms


def test_the_first_and_the_last_moment_are_those_of_their_years():
    assert iso(EARLIEST_MS) == "1970-01-01T00:00:00.000Z"
    assert iso(LATEST_MS) == "9998-12-31T23:59:59.999Z"


@given(st.datetimes(timezones=ZONES))
def test_whatever_lies_between_them_can_be_told_again(given_moment):
    at_ms = milliseconds(given_moment)
    if EARLIEST_MS <= at_ms <= LATEST_MS:
        assert abs(moment(at_ms) - given_moment) < timedelta(milliseconds=1)
        assert milliseconds(moment(at_ms)) == at_ms


@given(st.integers(EARLIEST_MS, LATEST_MS))
def test_every_millisecond_between_them_is_kept(at_ms):
    assert milliseconds(datetime.fromisoformat(iso(at_ms))) == at_ms
