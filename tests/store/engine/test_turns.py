"""Turns: one at a time, first come, first served, and nobody's turn is lost."""

import threading
from time import monotonic

import pytest
from servers import wait_until

from notiway.store.engine.turns import Turns


def far():
    return monotonic() + 30


def stand_in_line(turns, number, done, barrier=None):
    def work():
        assert turns.wait(far())
        done.append(number)
        turns.leave()

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: len(turns) == number + 1)
    return thread


def test_whoever_has_waited_longest_is_next():
    turns, done = Turns(), []
    assert turns.take()
    threads = [stand_in_line(turns, number, done) for number in range(8)]
    assert done == []
    turns.leave()
    for thread in threads:
        thread.join(30)
    assert done == list(range(8))
    assert turns.take()


def test_a_turn_that_does_not_come_in_time_is_given_up():
    turns = Turns()
    assert turns.take()
    assert not turns.wait(monotonic())
    assert len(turns) == 0
    turns.leave()
    assert turns.take()


def test_a_turn_that_comes_in_the_last_moment_is_taken(monkeypatch):
    turns = Turns()
    assert turns.take()

    def too_late(place, timeout):
        turns.leave()  # hands the turn over
        return False  # though the wait has ended

    monkeypatch.setattr(threading.Event, "wait", too_late)
    assert turns.wait(monotonic())
    assert not turns.take()


@pytest.mark.parametrize("came", [False, True])
def test_a_waiter_that_is_killed_keeps_no_turn(monkeypatch, came):
    turns = Turns()
    assert turns.take()

    def killed(place, timeout):
        if came:
            turns.leave()
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Event, "wait", killed)
    with pytest.raises(KeyboardInterrupt):
        turns.wait(far())
    if not came:
        turns.leave()
    assert turns.take()
