"""Bucket: a burst at once, a rate in the long run, and seconds to wait for what is taken beyond."""

import pytest

from notiway.live.limits.bucket import Bucket


def test_a_burst_is_free_and_what_follows_is_paid_for_in_time():
    bucket = Bucket(rate=10, burst=20, now=0.0)
    assert [bucket.take(1, 0.0) for _ in range(20)] == [0.0] * 20
    assert [round(bucket.take(1, 0.0), 6) for _ in range(3)] == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(("passed", "wait"), [(0.0, 1.1), (0.5, 0.6), (1.0, 0.1), (1.1, 0.0), (1_000.0, 0.0)])
def test_what_is_owed_is_paid_off_by_waiting(passed, wait):
    bucket = Bucket(rate=10, burst=10, now=0.0)
    bucket.take(20, 0.0)
    assert bucket.take(1, passed) == pytest.approx(wait)


def test_nobody_saves_up_more_than_a_burst():
    bucket = Bucket(rate=10, burst=10, now=0.0)
    assert bucket.is_full(0.0)
    assert bucket.take(10, 1_000.0) == 0.0
    assert not bucket.is_full(1_000.0)
    assert bucket.take(1, 1_000.0) == pytest.approx(0.1)
    assert bucket.is_full(1_001.2)
