"""Peers: several processes know who is connected to any of them, also when one dies or Redis is away."""

import pytest
from servers import wait_until

from live.shared.conftest import MOST
from notiway.live.shared import peers as module
from notiway.live.shared.node import Node
from notiway.live.state import State
from notiway.values.errors import BrokerDown

pytestmark = pytest.mark.redis


@pytest.fixture
def first(process):
    return process("n1")


@pytest.fixture
def second(process):
    return process("n2")


@pytest.fixture
def quick_lease(monkeypatch):
    monkeypatch.setattr(module, "LEASE_MS", 50)


def open_tabs(connect, hub, count, user_id="ada"):
    return [connect(f"{user_id}-{id(hub)}-{number}", user_id=user_id, hub=hub)[0] for number in range(count)]


def test_users_of_two_processes_count_once(first, second, connect):
    open_tabs(connect, first.hub, 2)
    open_tabs(connect, second.hub, 1)
    open_tabs(connect, second.hub, 1, "bob")
    first.tick()
    second.tick()
    for each in (first, second):
        assert each.peers.online() == 2
        assert each.peers.among(["ada", "bob", "cy"]) == {"ada", "bob"}
        assert [node.id for node in each.peers.nodes()] == ["n1", "n2"]
    assert [node.connections for node in second.peers.others] == [2]


def test_more_users_than_are_worth_a_union_are_added_up(first, second, connect, monkeypatch):
    monkeypatch.setattr(module, "EXACTLY", 1)
    for each in (first, second):
        open_tabs(connect, each.hub, 1)
        each.tick()
    assert first.peers.online() == 2


def test_a_process_that_died_counts_no_more_when_its_lease_is_over(first, second, connect, monkeypatch):
    open_tabs(connect, first.hub, 1)
    monkeypatch.setattr(module, "LEASE_MS", 50)
    first.tick()  # and never again
    monkeypatch.undo()
    second.tick()
    wait_until(lambda: second.peers.online() == 0)
    assert second.peers.among(["ada"]) == set()
    assert [node.id for node in second.peers.nodes()] == ["n2"]


def test_what_a_process_left_behind_is_removed_by_another(first, second, connect, client, monkeypatch):
    open_tabs(connect, first.hub, 1)
    monkeypatch.setattr(module, "LEASE_MS", 1)
    first.tick()
    monkeypatch.setattr(module, "LEFT_MS", 1)
    monkeypatch.setattr(module, "LEASE_MS", 5_000)

    def is_removed():
        second.tick()
        return not client.keys("notiway:here:n1:*") and client.hlen("notiway:told") == 1

    wait_until(is_removed)
    assert client.zrange("notiway:nodes", 0, -1) == [b"n2"]


def test_a_process_that_was_taken_for_dead_tells_everything_anew(first, connect, client):
    open_tabs(connect, first.hub, 1)
    first.tick()
    client.flushall()
    first.tick()
    assert first.peers.among(["ada"]) == {"ada"}
    assert client.hgetall("notiway:places:ada") == {b"n1": b"1"}


def test_a_process_that_ends_in_order_is_gone_at_once(first, second, connect, client):
    open_tabs(connect, first.hub, 1)
    first.peers.start("n1")
    wait_until(lambda: second.peers.online() == 1)
    first.peers.stop()
    assert second.peers.online() == 0
    assert client.zcard("notiway:nodes") == 0
    assert client.keys("notiway:here:*") == []


def test_by_itself_it_tells_within_a_moment(first, second, connect):
    first.peers.start("n1")
    (tab,) = open_tabs(connect, first.hub, 1)
    wait_until(lambda: second.peers.among(["ada"]) == {"ada"})
    first.hub.reactor.call_soon(tab.lost)
    wait_until(lambda: second.peers.online() == 0)
    first.peers.stop()


# Deaths


@pytest.fixture
def deaths(first, second, process):
    """What three processes are told, one of which is going to die; the others have lived for a while."""
    told = []
    third = process("n3")
    for each in (first, second):
        each.peers.on_death = told.append
        for _ in range(module.STEADY_BEATS + 1):
            each.tick()
    third.tick()
    return told, third


@pytest.fixture
def last_seen(client):
    """Makes it that a process told its last sign of life so many seconds ago; returns when."""

    def set_back(*nodes, seconds=10):
        moment = client.time()[0] - seconds
        client.zadd("notiway:nodes", dict.fromkeys(nodes, moment * 1000 + module.LEASE_MS))
        return moment

    return set_back


def test_one_of_the_others_is_told_once_that_a_process_has_died_and_when(deaths, first, second, last_seen):
    told, _third = deaths
    moment = last_seen("n3")
    for _ in range(3):
        first.tick()
        second.tick()
    assert told == [moment]


def test_what_is_removed_at_once_has_been_told(deaths, first, last_seen, client):
    told, _third = deaths
    moment = last_seen("n3", seconds=2 * module.LEFT_MS // 1000)
    first.tick()
    assert told == [moment]
    assert not client.exists("notiway:missed")


def test_a_death_is_told_when_the_lease_is_over_for_a_while(deaths, first, second, monkeypatch):
    told, third = deaths
    monkeypatch.setattr(module, "LEASE_MS", 50)
    third.tick()
    monkeypatch.undo()
    wait_until(lambda: [node.id for node in second.peers.nodes()] == ["n1", "n2"])
    first.tick()
    assert told == [], "it may be late"
    monkeypatch.setattr(module, "DIED_MS", 1)
    wait_until(lambda: first.tick() or told)


def test_nobody_is_told_of_a_process_that_left_or_lives(deaths, first, monkeypatch):
    told, third = deaths
    third.peers._leave()
    monkeypatch.setattr(module, "DIED_MS", 1)
    for _ in range(3):
        first.tick()
    assert told == []


def test_who_was_away_from_redis_for_too_long_judges_nobody(deaths, first, last_seen):
    told, _third = deaths
    moment = last_seen("n1", "n3")  # as after a Redis that stood still
    for _ in range(module.STEADY_BEATS + 1):
        first.tick()
    assert told == []
    first.tick()
    assert told == [moment], "it has had time to say that it lives"


def test_whoever_is_taken_for_dead_and_lives_may_die_once_more(deaths, first, last_seen):
    told, third = deaths
    moments = []
    for _ in range(2):
        moments.append(last_seen("n3"))
        first.tick()
        third.tick()
    assert told == moments


# Limits


def is_open(connection):
    return connection.state is State.OPEN


def test_the_newest_connections_over_the_limit_are_turned_away_wherever_the_others_are(first, second, connect):
    old = open_tabs(connect, first.hub, MOST - 2)
    first.tick()
    new = open_tabs(connect, second.hub, 4)
    second.tick()
    assert [*map(is_open, old)] == [True] * (MOST - 2)
    assert [*map(is_open, new)] == [True, True, False, False]
    first.tick()
    second.tick()
    assert [*map(is_open, new)] == [True, True, False, False], "and nobody else"


def test_others_are_not_counted(first, second, connect):
    open_tabs(connect, first.hub, MOST)
    first.tick()
    bobs = open_tabs(connect, second.hub, MOST, "bob")
    second.tick()
    assert all(map(is_open, bobs))


def test_a_place_is_free_again_when_its_connection_has_gone(first, second, connect):
    old = open_tabs(connect, first.hub, MOST)
    first.tick()
    first.hub.reactor.call_soon(old[0].lost)
    first.tick()
    new = open_tabs(connect, second.hub, 2)
    second.tick()
    assert [*map(is_open, new)] == [True, False]


def test_connections_of_a_process_that_died_take_no_place(first, second, connect, monkeypatch, client):
    open_tabs(connect, first.hub, MOST)
    monkeypatch.setattr(module, "LEASE_MS", 1)
    first.tick()
    monkeypatch.setattr(module, "LEASE_MS", 5_000)
    wait_until(lambda: second.peers.nodes() == [])
    new = open_tabs(connect, second.hub, MOST)
    second.tick()
    assert all(map(is_open, new))
    assert client.hgetall("notiway:places:ada") == {b"n2": str(MOST).encode()}


# Redis away


def test_while_redis_is_away_each_knows_its_own(frozen, first, second, connect):
    open_tabs(connect, first.hub, 1)
    open_tabs(connect, second.hub, 1, "bob")
    first.tick()
    second.tick()
    with frozen():
        assert first.peers.among(["ada", "bob"]) == {"ada"}
        assert first.peers.online() == 1
        assert first.peers.users_of("global") == {"ada"}
        with pytest.raises(BrokerDown):
            first.peers.nodes()
        (late,) = open_tabs(connect, first.hub, 1, "cy")
        first.peers._asking._silent_until = None
        first.now += 1
        with pytest.raises(BrokerDown):
            first.peers.tick(first.now)
    first.peers._asking._silent_until = None
    first.tick()
    assert second.peers._asking.need(lambda _: second.peers.among(["cy"])) == {"cy"}
    assert is_open(late)


def test_what_the_others_tell_may_be_anything(first, client):
    first.tick()
    client.zadd("notiway:nodes", {"newer": 10**15, "broken": 10**15, "silent": 10**15})
    client.hset("notiway:told", "newer", '{"id": "newer", "connections": 2, "mood": "good"}')
    client.hset("notiway:told", "broken", "[]")
    assert Node("newer", connections=2) in first.peers.nodes()
    first.tick()
    assert [node.id for node in first.peers.others] == ["newer"]


def test_a_clock_that_is_ahead_is_known(first, monkeypatch):
    real = module.now_ms
    monkeypatch.setattr(module, "now_ms", lambda: real() + 3_600_000)
    first.tick()
    first.tick()
    (node,) = first.peers.nodes()
    assert 3_590_000 < node.ahead < 3_610_000


def test_whoever_is_turned_away_is_told_why(first, second, connect):
    open_tabs(connect, first.hub, MOST)
    first.tick()
    _, client = connect("late", hub=second.hub)
    second.tick()
    assert client.read_all()[-1] == ("close", 4008)
