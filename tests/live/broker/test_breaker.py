"""Breaker: after a fault nobody waits for a while, and one at a time tries."""

import pytest

from notiway.live.broker.breaker import FIRST_SECONDS, LONGEST_SECONDS, Breaker


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(clock)


def test_while_all_is_well_everybody_is_admitted(breaker):
    assert all(breaker.admits() for _ in range(5))
    assert not breaker.note_answer()


def test_after_a_fault_one_tries_when_some_time_has_passed(breaker, clock):
    breaker.note_fault()
    assert not breaker.admits()
    clock.now += FIRST_SECONDS
    assert breaker.admits()
    assert not breaker.admits(), "the others wait for what becomes of it"
    assert breaker.note_answer()
    assert breaker.admits()


def test_one_who_tried_and_never_came_back_does_not_keep_it_open(breaker, clock):
    breaker.note_fault()
    clock.now += FIRST_SECONDS
    assert breaker.admits()
    clock.now += breaker.seconds
    assert breaker.admits()


def test_each_fault_in_a_row_makes_the_pause_longer_up_to_a_bound(breaker):
    pauses = []
    for _ in range(20):
        breaker.note_fault()
        pauses.append(breaker.seconds)
    assert pauses[:3] == [FIRST_SECONDS, 2 * FIRST_SECONDS, 4 * FIRST_SECONDS]
    assert pauses[-1] == LONGEST_SECONDS
    breaker.note_answer()
    breaker.note_fault()
    assert breaker.seconds == FIRST_SECONDS
