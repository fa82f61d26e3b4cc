"""Replay: what stands for a user, and nothing that has gone; finding items by the producer's id."""

import pytest
from clients.producer import envelope

from notiway.gateway.envelope import parse
from notiway.gateway.publish import publish_envelopes
from notiway.live.runtime import current
from notiway.store import inbox, membership
from notiway.store.database import db
from notiway.store.log import pulling, standing
from notiway.store.tables import Notification
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.verbs.send import send_notification

ME, BOB = "me", "bob"
MINE = ["global", "user:me"]


@pytest.fixture(autouse=True)
def context(app):
    with app.app_context():
        yield


def publish(audience, number=1, publisher="app", **changes):
    """Publish a persisted envelope; its notification's id."""
    raw = envelope(audience, "order-shipped", persisted=True, producer="orders") | {"id": f"order-{number}"} | changes
    (outcome,) = publish_envelopes(current(), [parse(raw, "tests", now_ms(), publisher)])
    return outcome.notification_id


def stands(audiences=MINE, user_id=ME):
    return [item.id for item in standing.items(user_id, audiences)]


def test_it_is_what_was_sent_to_the_user_and_to_all_oldest_first():
    wanted = [publish("user:me", 1), publish("global", 2), publish("user:me", 3)]
    publish("user:bob", 4)
    publish("group:ops", 5)
    assert stands() == wanted
    assert stands([]) == []


def test_only_the_newest_are_replayed():
    ids = [publish("user:me", number) for number in range(5)]
    assert [item.id for item in standing.items(ME, MINE, limit=2)] == ids[-2:]


@pytest.mark.parametrize("column", ["expires_at", "recalled_at"])
def test_what_expired_or_was_recalled_is_gone_at_once(column):
    gone, kept = publish("global", 1), publish("global", 2)
    assert stands() == [gone, kept]
    Notification.update({column: now_ms() - 1}).where(Notification.id == gone).execute()
    assert stands() == [kept]
    assert [item.id for item in inbox.feed(ME).items] == [kept]
    assert inbox.unread_count(ME) == 1


def test_what_was_deleted_is_gone_for_whoever_deleted_it_and_read_is_shown_as_read():
    gone, read = publish("global", 1), publish("global", 2)
    inbox.catch_up(ME)
    inbox.delete(ME, [gone])
    inbox.mark_read(ME, [read])
    (item,) = standing.items(ME, MINE)
    assert (item.id, item.is_read) == (read, True)
    assert stands(["global", "user:bob"], BOB) == [gone, read]


def test_pulling_brings_a_groups_items_to_who_is_no_member():
    kept = publish("group:acme:ops", 1)
    publish("group:globex:ops", 2)
    publish("group:ops", 3)
    assert stands([*MINE, "group:acme:ops"]) == []
    standing.pull(ME, "group:acme:ops")
    standing.pull(ME, "group:acme:ops")
    assert stands([*MINE, "group:acme:ops"]) == [kept]
    assert stands() == [], "only while it is subscribed"
    assert inbox.unread_count(ME) == 1


@pytest.mark.parametrize("walk", [1, 3, 1_000])
def test_pulling_goes_in_parts_while_others_write(monkeypatch, walk):
    monkeypatch.setattr(pulling, "BATCH", walk)
    pauses = []
    monkeypatch.setattr(pulling, "pause", lambda: pauses.append(db.in_transaction()))
    sent = [send_notification(Audience.group("ops"), str(number)).id for number in range(7)]
    standing.pull(ME, "group:ops")
    standing.pull(ME, "group:ops")
    assert [item.id for item in standing.items(ME, ["group:ops"])] == sent
    assert pauses == [False] * 2 * (7 // walk)


def test_pulling_brings_nothing_that_has_expired():
    gone = publish("group:ops", 1)
    Notification.update(expires_at=now_ms() - 1).where(Notification.id == gone).execute()
    standing.pull(ME, "group:ops")
    assert inbox.newest_id(ME) == ""


def test_an_item_is_found_by_its_audience_and_either_id():
    sent = publish("user:me", 1)
    assert standing.find(ME, "user:me", "order-1") == [sent]
    assert standing.find(ME, "user:me", sent) == [sent]
    assert standing.find(ME, "global", "order-1") == []
    assert standing.find(ME, "user:me", "order-2") == []


def test_two_producers_with_one_id_mean_two_items():
    first = publish("user:me", 1)
    second = publish("user:me", 1, publisher="key:another")
    assert sorted(standing.find(ME, "user:me", "order-1")) == [first, second]


def test_nobody_elses_is_found():
    sent = publish("user:bob", 1)
    membership.join(BOB, Audience.group("ops"))
    publish("group:ops", 2)
    inbox.catch_up(BOB)
    for audience, name in (("user:bob", "order-1"), ("user:me", sent), ("group:ops", "order-2")):
        assert standing.find(ME, audience, name) == []


def test_what_went_to_several_is_each_ones_own(send, user, other):
    sent = send([user, other], "To both")
    for each in (user, other):
        (item,) = standing.items(each.id, [f"user:{each.id}"])
        assert (item.id, item.audience) == (sent.id, f"user:{each.id}")
        assert standing.find(each.id, f"user:{each.id}", sent.id) == [sent.id]
