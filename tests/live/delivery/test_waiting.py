"""Waiting: since when Events wait, and from when on publishers have to."""

from types import SimpleNamespace

import pytest

from notiway.live.delivery.budget import LATE_SECONDS
from notiway.live.delivery.waiting import QUEUED_SECONDS, UNSEEN_COUNT, UNSEEN_SECONDS, Waiting


@pytest.fixture
def clock():
    return SimpleNamespace(now=7.0)


@pytest.fixture
def waiting(clock):
    return Waiting(lambda: clock.now)


def test_an_event_waits_from_its_hand_over_to_the_end_of_its_fan_out(waiting, clock):
    assert waiting.oldest_seconds == 0
    waiting.hand_over()
    clock.now += 1
    assert waiting.oldest_seconds == 1
    waiting.look(waiting.queue)
    clock.now += 1
    assert waiting.oldest_seconds == 2
    assert len(waiting) == 1
    waiting.done(1)
    assert waiting.oldest_seconds == 0
    assert len(waiting) == 0


def test_what_was_held_back_on_purpose_waits_from_when_it_goes_on(waiting, clock):
    waiting.hand_over()
    waiting.look(lambda: None)  # it is coalesced
    clock.now += 60
    assert waiting.oldest_seconds == 0
    waiting.queue()
    assert waiting.oldest_seconds == 0


def test_a_queue_that_is_worked_off_within_the_bound_is_no_reason_to_refuse(waiting, clock):
    """A storm of broadcasts: many wait, each for a second."""
    for _ in range(10_000):
        waiting.hand_over()
        waiting.look(waiting.queue)
    clock.now += QUEUED_SECONDS
    assert not waiting.is_too_long
    clock.now += 0.001
    assert waiting.is_too_long
    waiting.done(10_000)
    assert not waiting.is_too_long


@pytest.mark.parametrize(
    ("count", "seconds", "is_too_long"),
    [
        (UNSEEN_COUNT, UNSEEN_SECONDS * 1.01, True),
        (UNSEEN_COUNT - 1, UNSEEN_SECONDS * 1.01, False),
        (UNSEEN_COUNT - 1, 60, False),  # one long task, or a machine that was asleep
        (UNSEEN_COUNT * 100, UNSEEN_SECONDS * 0.99, False),
    ],
)
def test_many_that_the_loop_has_not_even_seen_are_one(waiting, clock, count, seconds, is_too_long):
    for _ in range(count):
        waiting.hand_over()
    clock.now += seconds
    assert waiting.is_too_long is is_too_long


def test_what_the_loop_has_not_seen_is_late_sooner_than_what_it_is_working_on(waiting, clock):
    waiting.hand_over()
    clock.now += LATE_SECONDS * 1.01
    assert waiting.is_late
    waiting.look(waiting.queue)
    clock.now += 1
    assert not waiting.is_late
    assert not waiting.is_too_long
