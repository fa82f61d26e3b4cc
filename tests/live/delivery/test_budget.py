"""Budget: so much in sends and in time between two pauses, and more time when Events are late."""

from types import SimpleNamespace

import pytest

from notiway.live.delivery.budget import LATE_SECONDS, LONGEST_SECONDS, SENDS, SLICE_SECONDS, Budget


@pytest.fixture
def world():
    return SimpleNamespace(now=50.0, age=0.0)


@pytest.fixture
def budget(world):
    made = Budget(lambda: world.age, lambda: world.now)
    made.renew()
    return made


def test_it_is_spent_when_its_sends_are(budget):
    assert budget.take(SENDS - 1) == SENDS - 1
    assert not budget.is_spent
    assert budget.take(5) == 1
    assert budget.is_spent
    budget.renew()
    assert budget.take(10 * SENDS) == SENDS


@pytest.mark.parametrize(
    ("age", "others", "seconds"),
    [
        (0.0, 1.0, SLICE_SECONDS),
        (LATE_SECONDS, 1.0, SLICE_SECONDS),
        (0.03, 0.001, SLICE_SECONDS),
        (0.03, 0.006, 0.003),
        (60.0, 1.0, LONGEST_SECONDS),
    ],
)
def test_while_events_are_late_it_gets_half_of_what_the_others_took(budget, world, age, others, seconds):
    world.age = age
    budget.rest()
    world.now += others
    budget.renew()
    world.now += seconds * 0.99
    assert not budget.is_spent
    world.now += seconds * 0.02
    assert budget.is_spent
