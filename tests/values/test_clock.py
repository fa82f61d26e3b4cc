"""Clock: moments are whole milliseconds since the epoch, whatever the zone they were given in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from notiway.values import clock


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
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 253_402_300_799_999),
    ],
)
def test_a_moment_is_rounded_down_to_milliseconds_and_a_naive_one_is_utc(moment, expected):
    assert clock.milliseconds(moment) == expected


@pytest.mark.parametrize("at_ms", [0, 1, 999, 1_700_000_000_123, 253_402_300_799_999])
def test_a_moment_comes_back_as_it_was(at_ms):
    assert clock.milliseconds(clock.moment(at_ms)) == at_ms
    assert clock.milliseconds(datetime.fromisoformat(clock.iso(at_ms))) == at_ms
    assert clock.iso(at_ms).endswith("Z")
