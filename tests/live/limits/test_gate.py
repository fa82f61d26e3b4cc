"""The gate: so many live connects a second, the others are told when to come back."""

import pytest

from notiway import metrics
from notiway.live.limits.gate import LONGEST_RETRY_SECONDS, Gate
from notiway.values.errors import Busy


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def gate(now):
    return Gate(10, clock=lambda: now[0])


def test_a_seconds_worth_may_come_at_once_and_then_the_rate(gate, now):
    for _ in range(10):
        gate.admit()
    with pytest.raises(Busy):
        gate.admit()
    now[0] += 0.1
    gate.admit()
    with pytest.raises(Busy):
        gate.admit()


def test_nobody_owes_what_was_refused(gate, now):
    for _ in range(10):
        gate.admit()
    for _ in range(100):
        with pytest.raises(Busy):
            gate.admit()
    now[0] += 0.1
    gate.admit()


def test_the_refused_are_counted_and_not_told_the_same_moment(gate):
    before = metrics.CONNECTS_REFUSED._value.get()
    told = set()
    for _ in range(110):
        try:
            gate.admit()
        except Busy as busy:
            told.add(busy.retry_after)
    assert metrics.CONNECTS_REFUSED._value.get() == before + 100
    assert len(told) > 1
    assert told <= set(range(1, LONGEST_RETRY_SECONDS + 1))
