"""Deadlines: a connection ends when its time is over, unless it was given another."""

import time

import pytest
from pair import make_pair

from notiway.connection import State
from notiway.deadlines import Deadlines


class Ticks:
    """Stands for the reactor: the test ticks."""

    def every(self, seconds, function):
        self.tick = function


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def deadlines(ticks):
    return Deadlines(ticks)


@pytest.fixture
def pair():
    connection, client = make_pair()
    connection.release([])
    yield connection, client
    connection.lost()
    client.close()


def test_it_ends_with_4009(deadlines, ticks, pair):
    connection, client = pair
    deadlines.set(connection, time.time() - 1)
    ticks.tick()
    assert client.read() == [("close", 4009)]


@pytest.mark.parametrize("later", [3600, None])
def test_not_if_it_was_given_more_time(deadlines, ticks, pair, later):
    connection, client = pair
    deadlines.set(connection, time.time() - 1)
    deadlines.set(connection, None if later is None else time.time() + later)
    ticks.tick()
    assert connection.state is State.OPEN
    assert client.hears_nothing()


def test_an_earlier_end_counts_too(deadlines, ticks, pair):
    connection, client = pair
    deadlines.set(connection, time.time() + 3600)
    deadlines.set(connection, time.time() - 1)
    ticks.tick()
    assert client.read() == [("close", 4009)]


def test_before_its_time_nothing_happens(deadlines, ticks, pair):
    connection, client = pair
    deadlines.set(connection, time.time() + 3600)
    ticks.tick()
    assert client.hears_nothing()


def test_the_end_may_be_another(deadlines, ticks, pair):
    connection, _ = pair
    ended = []
    deadlines.set(connection, time.time() - 1, ended.append)
    ticks.tick()
    ticks.tick()
    assert ended == [connection], "once"


def test_the_end_may_be_another_and_comes_once(now, clock, deadlines):
    one, ended = client(), []
    deadlines.set(one, 1_010.0, ended.append)
    now[0] = 1_020.0
    clock.ticks[0]()
    clock.ticks[0]()
    assert (ended, one.closed) == ([one], None)
