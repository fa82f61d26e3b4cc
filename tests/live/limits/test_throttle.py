"""Throttle: so much in a time, by whom and for what."""

import pytest

from notiway.live.limits.throttle import Throttle
from notiway.values.errors import Throttled


@pytest.fixture
def throttle():
    return Throttle("memory://")


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
