"""Listeners: who hears which audience, until it leaves."""

import pytest
from pair import counts, make_pair, settle, sync

from notiway.live.delivery.listeners import Listeners
from notiway.values.event import Event


@pytest.fixture
def listeners():
    return Listeners()


@pytest.fixture
def listener():
    """Makes connections that name audiences: `listener("global")`."""
    made = []

    def make(*audiences, user_id="ada"):
        connection, client = make_pair(user_id=user_id)
        connection.audiences = audiences
        made.append((connection, client))
        return connection

    yield make
    for connection, client in made:
        connection.lost()
        client.close()


def test_a_subscription_is_heard_until_it_ends(hub, connect):
    connection, client = connect()
    hub.deliver(sync(1, "group:x"))
    settle(hub.reactor)
    hub.subscribe(connection, "group:x")
    hub.subscribe(connection, "group:x")
    hub.deliver(sync(2, "group:x"))
    settle(hub.reactor)
    hub.unsubscribe(connection, "group:x")
    hub.deliver(sync(3, "group:x"))
    hub.deliver(sync(4))
    assert counts(client, 2) == [2, 4]
    assert not hub.listeners.count("group:x")


def test_a_register_knows_who_listens_where(listeners, listener):
    ada, again, nobody = listener("global", "group:x"), listener("global"), listener("global", user_id=None)
    for each in (ada, again, nobody):
        listeners.enter(each)
    assert listeners.of("global") == [ada, again, nobody]
    assert listeners.users_of("global") == {"ada"}
    assert (listeners.count("global"), listeners.count("group:x"), listeners.count("group:y")) == (3, 1, 0)
    assert listeners.of("group:y") == []


def test_audiences_are_found_by_their_ending(listeners, listener):
    listeners.enter(listener("global", "group:dashboard-ops", "group:acme:dashboard-ops", "group:acme:dashboard-ops-2"))
    assert listeners.audiences(":dashboard-ops") == ["group:dashboard-ops", "group:acme:dashboard-ops"]


def test_an_audience_that_nobody_hears_any_more_is_forgotten(listeners, listener):
    ada, bob = listener("global", "group:x"), listener("global", user_id="bob")
    for each in (ada, bob):
        listeners.enter(each)
    listeners.leave(ada)
    assert (listeners.of("global"), len(listeners)) == ([bob], 1)
    listeners.leave(ada)
    listeners.remove(bob, "global")
    assert (bob.audiences, len(listeners)) == ((), 0)


def test_who_has_gone_hears_nothing_more(listeners, listener):
    gone = listener("global")
    gone.lost()
    listeners.add(gone, "group:x")
    assert (gone.audiences, len(listeners)) == (("global",), 0)


def test_who_does_not_hear_an_audience_is_named_by_user(listeners, listener):
    for each in (
        listener("global", "group:x"),
        quiet := listener("global"),
        other := listener("global", user_id="bob"),
    ):
        listeners.enter(each)
    assert listeners.beside("group:x") == {"ada": [quiet.id], "bob": [other.id]}
    assert listeners.beside("global") == {}


def test_whoever_is_dismissed_is_known_until_it_leaves(listeners, listener):
    ada, again = listener("global", "group:x"), listener("global")
    for each in (ada, again):
        listeners.enter(each)
    left = Event("left", "user:ada", {"audience": "group:x"})
    assert listeners.dismiss([ada, again], left) == [(ada, left, ada.opening)], "again did not listen"
    assert (ada.audiences, listeners.count("group:x")) == (("global",), 0)
    assert listeners.left_at(ada, "group:x") > 0
    assert listeners.left_at(ada, "group:y") == listeners.left_at(again, "group:x") == 0
    listeners.leave(ada)
    assert listeners.left_at(ada, "group:x") == 0


def test_whoever_went_in_the_fan_out_of_its_dismissal_is_forgotten(listeners, listener):
    ada = listener("global", "group:x")
    listeners.enter(ada)
    listeners.leave(ada)
    assert listeners.dismiss([ada], Event("left", "user:ada", {"audience": "group:x"})) == []
    assert listeners.left_at(ada, "group:x") == 0


def test_an_audience_is_heard_as_soon_as_the_news_of_a_joining_is_on_its_way():
    """Or what is stored nowhere, and sent right behind it, would be made for nobody."""
    listeners = Listeners()
    joined = Event("joined", "user:ada", {"audience": "group:ops"})
    assert not listeners.are_coming("group:ops")
    listeners.expect(joined)
    assert listeners.are_coming("group:ops")
    listeners.admit([], joined)
    assert not listeners.are_coming("group:ops")
