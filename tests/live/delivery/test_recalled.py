"""Recalled: news of an item that was recalled before do not show it, however late they come."""

import json

import pytest
from pair import created, item, settle

from notiway.live.delivery import recalled
from notiway.live.delivery.recalled import Recalled
from notiway.values.event import UNDER_WAY_SECONDS, Event


def recall(number, audience="user:ada"):
    return Event("recalled", audience, {"ids": [f"id-{number}"], "items": [], "unread": 0})


def restored(*numbers):
    listed = [item(number) for number in numbers]
    names = [{"id": each["id"], "public_id": each["id"], "audience": "user:ada"} for each in listed]
    return Event("restored", "user:ada", {"notifications": listed, "items": names, "unread": 2})


def told(client, number):
    """Name and id of the next frames."""
    heard = [json.loads(text) for text in client.read(number)]
    return [(each["event"], each["data"].get("id") or each["data"]["notificationId"]) for each in heard]


@pytest.fixture
def moment():
    return [1_000.0]


@pytest.fixture
def known(moment):
    return Recalled(lambda: moment[0])


@pytest.mark.parametrize("audience", ["user:ada", "global"])
def test_an_item_whose_news_come_behind_its_recall_is_not_shown(hub, connect, audience):
    """Its process stood still between commit and publish, while another one recalled it."""
    _, client = connect()
    hub.deliver(recall(1, audience))
    hub.deliver(created(1))
    hub.deliver(created(2))
    settle(hub.reactor)
    assert told(client, 2) == [("recalled", "id-1"), ("notification", "id-2")]
    assert len(hub.waiting) == 0


def test_progress_that_waited_for_its_turn_does_not_come_behind_a_recall_of_all(hub, connect):
    _, client = connect()
    hub.deliver(created(1, coalesce="job"))
    hub.deliver(recall(1, "global"))
    hub.deliver(created(2))
    assert told(client, 2) == [("recalled", "id-1"), ("notification", "id-2")]


def test_what_is_restored_comes_without_what_was_recalled(known):
    known.left_of(recall(1))
    left = known.left_of(restored(1, 2))
    assert [each["id"] for each in left.data["notifications"]] == ["id-2"]
    assert [each["id"] for each in left.data["items"]] == ["id-2"]
    assert left.data["unread"] == 2
    whole = restored(3)
    assert known.left_of(whole) is whole


def test_it_is_known_as_long_as_an_event_may_be_under_way(known, moment):
    known.left_of(recall(1))
    moment[0] += UNDER_WAY_SECONDS - 1
    known.left_of(recall(2))
    assert known.left_of(created(1)) is None
    moment[0] += 1
    known.left_of(recall(3))
    late = created(1)
    assert (known.left_of(late), known.left_of(created(2)), len(known)) == (late, None, 2)


def test_the_oldest_are_forgotten_where_there_are_too_many(known, monkeypatch):
    monkeypatch.setattr(recalled, "MOST_IDS", 2)
    for number in (1, 2, 1, 3):
        known.left_of(recall(number))
    assert len(known) == 2
    assert [known.left_of(created(number)) is None for number in (1, 2, 3)] == [True, False, True]
