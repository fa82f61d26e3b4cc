"""Spent ids: kept apart by publisher, for some days after they were used, and then forgotten."""

import pytest
from fresh import verbs

from notiway.store import spent_ids
from notiway.store.spent_ids import SpentId
from notiway.store.tables import Notification
from notiway.values.clock import DAY_MS

NOW = 1_800_000_000_000


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def add(number, created_at, publisher="key:1", dedupe_key="a"):
    values = {"id": f"n{number}", "audience": "global", "name": "paid", "title": "Hi"}
    Notification.create(**values, publisher=publisher, dedupe_key=dedupe_key, created_at=created_at)
    return f"n{number}"


def test_an_id_is_its_publishers_own():
    spent_ids.keep(add(1, NOW), NOW, 7)
    assert spent_ids.among("key:1", ["a", "b"]) == {"a": SpentId("n1", "global", "paid")}
    assert spent_ids.among("key:2", ["a"]) == {}


@pytest.mark.parametrize(("publisher", "key"), [(None, "a"), ("key:1", None)])
def test_what_has_no_id_of_a_publisher_leaves_none(publisher, key):
    spent_ids.keep(add(1, NOW, publisher, key), NOW, 7)
    assert not spent_ids.forget(NOW + 100 * DAY_MS, 7, 10)


def test_what_is_old_enough_already_is_not_kept():
    spent_ids.keep(add(1, NOW - 7 * DAY_MS), NOW, 7)
    assert spent_ids.among("key:1", ["a"]) == {}


def test_ids_are_forgotten_after_their_days_and_so_many_at_once():
    for number in range(5):
        spent_ids.keep(add(number, NOW, dedupe_key=str(number)), NOW, 7)
    assert not spent_ids.forget(NOW + 7 * DAY_MS - 1, 7, 10)
    assert spent_ids.forget(NOW + 7 * DAY_MS, 7, 3)
    assert len(spent_ids.among("key:1", list("01234"))) == 2
    assert spent_ids.forget(NOW + 7 * DAY_MS, 7, 3)
    assert not spent_ids.forget(NOW + 7 * DAY_MS, 7, 3)


def test_an_id_that_came_from_the_future_is_forgotten_like_the_others():
    spent_ids.keep(add(1, NOW + 1_000 * DAY_MS), NOW, 7)
    assert spent_ids.forget(NOW + 7 * DAY_MS, 7, 10)
