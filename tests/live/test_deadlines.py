"""A connection ends with its session or token, not before, and leaves nothing behind."""

from types import SimpleNamespace

import pytest

from notiway.live import deadlines as module
from notiway.live.deadlines import Deadlines
from notiway.live.state import State
from notiway.values.close_codes import CloseCode


class Clock:
    def __init__(self):
        self.ticks = []

    def ticker(self, seconds, function):
        self.ticks.append(function)
        return lambda: None


class Client(SimpleNamespace):
    __hash__ = object.__hash__

    def close(self, code, reason):
        self.closed = code


def client():
    return Client(state=State.OPEN, ends_at=None, closed=None)


@pytest.fixture
def now(monkeypatch):
    moment = [1_000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: moment[0]))
    return moment


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def deadlines(clock):
    return Deadlines(clock)


def test_each_is_closed_at_its_own_time(now, clock, deadlines):
    (tick,) = clock.ticks
    first, second = client(), client()
    deadlines.set(second, 1_020.0)
    deadlines.set(first, 1_010.0)
    tick()
    assert (first.closed, second.closed) == (None, None)
    now[0] = 1_010.0
    tick()
    assert (first.closed, second.closed) == (CloseCode.SIGNED_OUT, None)
    now[0] = 1_020.0
    tick()
    assert second.closed == CloseCode.SIGNED_OUT
    assert len(deadlines) == 0


@pytest.mark.parametrize("renewed", [1_100.0, None])
def test_what_is_renewed_ends_later_or_never(now, clock, deadlines, renewed):
    one = client()
    deadlines.set(one, 1_010.0)
    deadlines.set(one, renewed)
    now[0] = 1_050.0
    clock.ticks[0]()
    assert one.closed is None
    assert one.ends_at == renewed


def test_a_connection_that_has_gone_is_forgotten(now, deadlines):
    one, late = client(), client()
    deadlines.set(one, 1_010.0)
    deadlines.forget(one)
    late.state = State.CLOSED
    deadlines.set(late, 1_010.0)
    assert len(deadlines) == 0


def test_the_end_may_be_another_and_comes_once(now, clock, deadlines):
    one, ended = client(), []
    deadlines.set(one, 1_010.0, ended.append)
    now[0] = 1_020.0
    clock.ticks[0]()
    clock.ticks[0]()
    assert (ended, one.closed) == ([one], None)


def test_a_renewal_moves_the_end_of_a_session_and_not_the_time_to_say_hello(now, clock, deadlines):
    one, silent, ended = client(), client(), []
    deadlines.set(one, 1_010.0)
    deadlines.set(silent, 1_005.0, ended.append)
    for each in (one, silent):
        deadlines.move(each, 1_100.0)
    now[0] = 1_050.0
    clock.ticks[0]()
    assert (one.closed, one.ends_at) == (None, 1_100.0)
    assert ended == [silent]


def test_what_is_renewed_before_it_has_said_hello_lives_by_that_afterwards(now, clock, deadlines):
    one, ended = client(), []
    one.ends_at = 1_010.0
    deadlines.set(one, 1_005.0, ended.append)
    deadlines.move(one, 1_100.0)
    deadlines.greet(one)
    now[0] = 1_050.0
    clock.ticks[0]()
    assert (ended, one.closed) == ([], None)
    now[0] = 1_100.0
    clock.ticks[0]()
    assert one.closed == CloseCode.SIGNED_OUT


def test_a_renewal_that_comes_late_shortens_nothing(now, clock, deadlines):
    one = client()
    deadlines.set(one, 1_100.0)
    deadlines.move(one, 1_010.0)
    assert one.ends_at == 1_100.0


def test_a_renewal_gives_an_end_to_what_had_none(now, clock, deadlines):
    one = client()
    deadlines.move(one, 1_010.0)
    now[0] = 1_020.0
    clock.ticks[0]()
    assert one.closed == CloseCode.SIGNED_OUT
