"""Presence: one process alone and several with one Redis answer the same questions alike."""

import pytest
from pair import settle

from notiway.live.shared.presence import Here


@pytest.fixture(params=["here", pytest.param("peers", marks=pytest.mark.redis)])
def side(request, reactor, hub):
    """A presence of the hub; `told()` when it knows all that has happened."""
    if request.param == "here":
        return Here(hub), lambda: settle(reactor)
    process = request.getfixturevalue("process")("n1", hub)
    return process.peers, process.tick


@pytest.fixture
def presence(side):
    return side[0]


@pytest.fixture
def told(side):
    return side[1]


def test_users_are_there_as_long_as_one_of_their_connections(presence, told, connect, hub):
    told()
    assert presence.online() == 0
    first, _ = connect("1")
    second, _ = connect("2")
    connect("3", user_id="bob")
    told()
    assert presence.online() == 2
    assert presence.among(["ada", "bob", "cy"]) == {"ada", "bob"}
    hub.reactor.call_soon(first.lost)
    told()
    assert presence.among(["ada"]) == {"ada"}
    hub.reactor.call_soon(second.lost)
    told()
    assert presence.among(["ada", "bob"]) == {"bob"}
    assert presence.online() == 1


def test_many_are_asked_for_at_once(presence, told, connect):
    connect("1")
    told()
    assert presence.among([]) == set()
    assert presence.among([*map(str, range(1_000)), "ada"]) == {"ada"}


def test_who_hears_a_group_is_known_with_those_who_subscribe_later(presence, told, connect, hub):
    ada, _ = connect("1", "global", "user:ada", "group:ops")
    bob, _ = connect("2", user_id="bob")
    told()
    assert presence.users_of("group:ops") == {"ada"}
    assert hub.subscribe(bob, "group:ops")
    told()
    assert presence.users_of("group:ops") == {"ada", "bob"}
    hub.unsubscribe(ada, "group:ops")
    told()
    assert presence.users_of("group:ops") == {"bob"}
    assert presence.users_of("group:nobody") == set()


def test_a_user_may_have_any_name(presence, told, connect):
    name = 'Zoë "x" \\ {1}:*'
    connect("1", "global", f"user:{name}", "group:ops", user_id=name)
    told()
    assert presence.among([name, "Zoë"]) == {name}
    assert presence.users_of("group:ops") == {name}


def test_the_node_tells_its_connections_and_numbers(presence, told, connect):
    connect("1")
    presence.numbers = {"deliveries": 2.5}
    told()
    (node,) = presence.nodes()
    assert (node.connections, node.numbers) == (1, {"deliveries": 2.5})
    assert presence.others == []
