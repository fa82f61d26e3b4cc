"""Throttle: so much in a time, by whom and for what."""

import pytest

from notiway.live.limits.throttle import PARTS, Throttle, Windows
from notiway.values.errors import Throttled


@pytest.fixture
def throttle():
    return Throttle(Windows())


def test_what_goes_over_the_rate_is_refused_with_the_time_to_wait(throttle):
    throttle.take("publish", "2 per minute", "billing")
    throttle.take("publish", "2 per minute", "billing")
    with pytest.raises(Throttled) as refused:
        throttle.take("publish", "2 per minute", "billing")
    assert 1 <= refused.value.retry_after <= 61


def test_others_and_other_things_are_counted_apart(throttle):
    throttle.take("publish", "1 per minute", "billing")
    throttle.take("publish", "1 per minute", "orders")
    throttle.take("token", "1 per minute", "billing")


def test_an_amount_counts_as_so_many(throttle):
    throttle.take("publish", "10 per minute", "billing", 9)
    with pytest.raises(Throttled):
        throttle.take("publish", "10 per minute", "billing", 2)
    throttle.take("publish", "10 per minute", "billing", 1)


def test_a_batch_larger_than_the_limit_passes_an_empty_window_once(throttle):
    throttle.take("publish", "10 per minute", "billing", 1_000)
    with pytest.raises(Throttled):
        throttle.take("publish", "10 per minute", "billing")


def test_the_window_moves_and_what_is_refused_does_not_count(throttle, monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr("notiway.live.limits.throttle.time.time", lambda: now[0])
    throttle.take("publish", "10 per minute", "billing", 6)
    now[0] += 30
    throttle.take("publish", "10 per minute", "billing", 4)
    for _ in range(3):
        with pytest.raises(Throttled) as refused:
            throttle.take("publish", "10 per minute", "billing")
    assert refused.value.retry_after == 30, "until the first six count no more"
    now[0] += 30
    throttle.take("publish", "10 per minute", "billing", 6)
    with pytest.raises(Throttled):
        throttle.take("publish", "10 per minute", "billing")


def test_what_is_kept_of_a_window_does_not_grow_with_what_it_counts(throttle, monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr("notiway.live.limits.throttle.time.time", lambda: now[0])
    for _ in range(5_000):
        now[0] += 0.02
        throttle.take("publish", "1000000 per minute", "billing", 7)
    (window,) = throttle._windows._windows.values()
    assert len(window._counts) <= PARTS + 1
    assert abs(window.count(now[0]) - 3_000 * 7) <= 3_000 * 7 / PARTS


def test_windows_in_which_nothing_counts_any_more_are_let_go(throttle, monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr("notiway.live.limits.throttle.time.time", lambda: now[0])
    monkeypatch.setattr("notiway.live.limits.throttle.SWEEP_AFTER", 100)
    for number in range(100):
        throttle.take("user", "10 per minute", str(number))
    now[0] += 61
    throttle.take("user", "10 per minute", "another")
    assert len(throttle._windows._windows) == 1
