"""Events: what verbs publish carries the item and the count, and a broker that is down loses nothing."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from peewee import OperationalError

from notiway import metrics
from notiway.store import inbox
from notiway.values.errors import BrokerDown
from notiway.values.item import Item
from notiway.verbs import events, items
from notiway.verbs.send import send_notification


def test_the_event_carries_the_item_and_the_absolute_count(broker):
    for expected in (1, 2, 3):
        sent = send_notification("ada", "Hi", "there", body={"n": 1})
        event = broker.events[-1]
        told = dict(event.data)
        assert told.pop("as_of") <= inbox.arrive("ada").as_of
        assert told == {"notification": inbox.get("ada", sent.id).as_dict(), "unread": expected}
        assert event.published_at > 0
    items.mark_read("ada", [sent.id])
    send_notification("ada", "Hi")
    assert broker.events[-1].data["unread"] == 3


@pytest.mark.parametrize("fault", [ConnectionRefusedError("no broker"), RuntimeError("a fault of its own")])
def test_a_broker_that_is_down_loses_nothing_that_is_stored(fault, broker, caplog):
    broker.fault = fault
    sent = send_notification("ada", "Hi")
    assert inbox.get("ada", sent.id).title == "Hi"
    assert items.mark_read("ada", [sent.id]) == 0
    assert "the broker did not take 1 events" in caplog.text


def value(counter):
    return counter._value.get()


def test_each_event_that_the_broker_took_is_counted_by_its_kind(broker):
    counter = metrics.EVENTS_PUBLISHED.labels(kind="created")
    before, failures = value(counter), value(metrics.PUBLISH_FAILURES)
    send_notification("ada", "Hi")
    assert (value(counter), value(metrics.PUBLISH_FAILURES)) == (before + 1, failures)
    broker.fault = ConnectionRefusedError("no broker")
    send_notification("ada", "Hi")
    assert (value(counter), value(metrics.PUBLISH_FAILURES)) == (before + 1, failures + 1)


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize("users", [["ada"], ["ada", "grace"]], ids=["one", "several"])
def test_without_a_database_no_count_is_told_and_the_reason_is_logged(monkeypatch, caplog, users):
    def away(user_ids):
        raise OperationalError("no route to host")

    for name in ("unread_counts", "arrive"):
        monkeypatch.setattr(inbox, name, away)
    assert events.unread_counts(users) == {}
    assert "no route to host" in caplog.text


@pytest.mark.usefixtures("broker")
def test_counts_are_read_in_batches_for_everybody(monkeypatch):
    asked = []
    monkeypatch.setattr(inbox, "unread_counts", lambda part: (asked.append(len(part)), dict.fromkeys(part, 1))[1])
    users = [str(number) for number in range(1_001)]
    assert events.unread_counts(iter(users)) == dict.fromkeys(users, 1)
    assert asked == [500, 500, 1]


ITEM = Item("i", "users", "n", "info", "medium", "Hi", "", 0, group_key="disk")


@pytest.mark.parametrize(
    ("item", "options", "audience", "more"),
    [
        (ITEM, {}, "users", {}),
        (ITEM, {"to": "user:ada"}, "user:ada", {}),
        (ITEM, {"to": "user:ada", "unread": 0}, "user:ada", {"unread": 0}),
        (replace(ITEM, persisted=False), {}, "users", {}),
        (replace(ITEM, persisted=False), {"replaces": "disk"}, "users", {"coalesce": "disk"}),
    ],
)
def test_a_new_item_is_told_as_its_reader_sees_it(item, options, audience, more):
    event = events.created(item, **options)
    assert (event.kind, event.audience) == ("created", audience)
    assert event.data == {"notification": replace(item, audience=audience).as_dict()} | more


@pytest.mark.parametrize("count", [2, 3, 5])
def test_of_many_users_those_are_told_who_are_here(monkeypatch, count):
    monkeypatch.setattr(events, "MANY", 3)
    here = SimpleNamespace(heard_among=lambda audiences: {"user:1"})
    users = [str(number) for number in range(count)]
    assert list(events.heard_of(here, users)) == (users if count < 3 else ["1"])


def test_where_nobody_can_say_who_is_here_all_are_brought_up_to_date_later(monkeypatch):
    def fail(audiences):
        raise BrokerDown("away")

    gaps = []
    away = SimpleNamespace(heard_among=fail, broker=SimpleNamespace(tell_gap=gaps.append))
    monkeypatch.setattr(events, "MANY", 2)
    assert list(events.heard_of(away, ["1", "2"])) == []
    assert gaps == [["user:1", "user:2"]]


def several(*, persisted=True):
    return [
        events.Event("created", "user:ada", {"notification": {"id": str(number), "persisted": persisted}})
        for number in range(3)
    ]


def ids(told):
    return [event.data["notification"]["id"] for event in told]


def test_several_are_handed_over_together(monkeypatch):
    calls = []
    here = SimpleNamespace(broker=SimpleNamespace(publish=calls.append))
    before = value(metrics.EVENTS_PUBLISHED.labels(kind="created"))
    assert events.publish_all(here, several())
    assert events.publish_all(here, [])
    assert [ids(each) for each in calls] == [["0", "1", "2"]]
    assert all(event.published_at > 0 for event in calls[0])
    assert value(metrics.EVENTS_PUBLISHED.labels(kind="created")) == before + 3


def test_several_that_were_not_taken_all_count_as_untold_and_the_next_are_not_tried(broker, caplog):
    broker.fault = ConnectionError("the queue is locked")
    down = SimpleNamespace(broker=broker)
    with events.noting_untold() as untold:
        assert events.publish_all(down, several())
        assert events.publish_all(down, several()[:1])
    assert ids(untold) == ["0", "1", "2", "0"]
    assert caplog.text.count("did not take") == 1
    assert broker.later == [], "whoever notes them tells them"


def test_what_is_stored_is_told_later_and_what_is_not_is_not_told(broker, caplog):
    broker.fault = BrokerDown("away")
    down = SimpleNamespace(broker=broker)
    assert events.publish_all(down, several())
    assert ids(broker.later) == ["0", "1", "2"]
    assert not events.publish_all(down, several(persisted=False))
    assert len(broker.later) == 3
    assert not caplog.records, "the broker has said so itself"
