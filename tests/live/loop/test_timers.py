"""Timers: one queue; a process with nothing to do sleeps."""

from types import SimpleNamespace

import pytest

from notiway.live.loop import timers as module
from notiway.live.loop.timers import Timers

LONGEST = 60.0


@pytest.fixture
def now(monkeypatch):
    moment = [100.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: moment[0]))
    return moment


@pytest.fixture
def timers(now):
    return Timers()


def call_due(timers):
    for function in timers.due():
        function()


def test_the_first_that_is_due_says_how_long_to_sleep(timers, now):
    assert timers.rest(LONGEST) == LONGEST
    timers.later(5, lambda: None)
    timers.later(2, lambda: None)
    assert timers.rest(LONGEST) == 2
    now[0] += 3
    assert timers.rest(LONGEST) == 0


def test_what_is_due_comes_in_the_order_of_its_time_and_once(timers, now):
    seen = []
    for seconds in (3, 1, 2):
        timers.later(seconds, lambda seconds=seconds: seen.append(seconds))
    now[0] += 2
    call_due(timers)
    call_due(timers)
    assert seen == [1, 2]


def test_what_is_set_for_now_by_one_that_is_due_comes_the_next_time(timers, now):
    seen = []
    timers.every(0, lambda: seen.append(1))
    call_due(timers)
    assert seen == [1]
    call_due(timers)
    assert seen == [1, 1]


def test_a_ticker_sleeps_until_it_is_begun_and_when_nothing_is_left(timers, now):
    left = [True, True, False]
    begin = timers.ticker(1, lambda: left.pop(0))
    assert timers.rest(LONGEST) == LONGEST
    begin()
    begin()
    for _ in range(3):
        assert timers.rest(LONGEST) == 1
        now[0] += 1
        (only,) = timers.due()
        only()
    assert timers.rest(LONGEST) == LONGEST
    left.append(False)
    begin()
    assert timers.rest(LONGEST) == 1


def test_a_fault_does_not_end_a_ticker(timers, now):
    def fail():
        raise ValueError("deliberate")

    timers.ticker(1, fail)()
    now[0] += 1
    with pytest.raises(ValueError, match="deliberate"):
        call_due(timers)
    assert timers.rest(LONGEST) == 1
