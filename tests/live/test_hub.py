"""Hub: who hears what, who comes and goes, and nobody waits for anybody."""

import json

import pytest
from pair import counts, created, ids, item, json_format, make_hub, make_pair, settle, sync
from servers import wait_until

from notiway import metrics
from notiway.live.delivery import budget
from notiway.live.delivery.format import Format
from notiway.live.state import State
from notiway.live.wires.json import JsonWire
from notiway.values.close_codes import CloseCode
from notiway.values.count import Count
from notiway.values.event import Event


def test_an_event_reaches_its_audience_only(hub, connect):
    _, ada = connect("1")
    _, ada_too = connect("2")
    _, bob = connect("3", user_id="bob")
    hub.deliver(sync(7))
    assert counts(ada, 1) == counts(ada_too, 1) == [7]
    settle(hub.reactor)
    assert bob.hears_nothing()
    hub.deliver(sync(8, "global"))
    assert counts(ada, 1) == counts(bob, 1) == [8]


def test_an_event_for_one_connection_reaches_that_one(hub, connect):
    _, first = connect("1")
    _, second = connect("2")
    hub.deliver(created(1, "connection:2"))
    assert ids(second, 1) == ["id-1"]
    assert first.hears_nothing()
    hub.deliver(created(1, "connection:nobody"))
    settle(hub.reactor)


# The gap between page and socket


def test_what_comes_before_the_release_waits_and_comes_once(hub, connect):
    connection, client = connect(release=False)
    hub.deliver(created(1, unread=1))
    hub.deliver(created(2, unread=2))
    settle(hub.reactor)
    assert client.hears_nothing()
    replay = connection.format.wire.render(created(1))
    hub.release(connection, ["first", replay], ["id-1"])
    hub.deliver(created(3, unread=3))
    assert client.read(1) == ["first"]
    assert ids(client, 3) == ["id-1", "id-2", "id-3"]


# Nobody waits for a slow client


def test_a_client_that_stops_reading_is_closed_and_the_others_wait_for_none_of_it(hub, connect, no_bursts):
    slow_connection, slow = connect("slow")
    _, quick = connect("quick")
    received = []
    for number in range(300):
        hub.deliver(Event("created", "user:ada", {"notification": item(number, body={"x": "y" * 1_000}), "unread": 1}))
        received += ids(quick, 1)
        assert slow_connection.backlog is None or slow_connection.backlog.total <= slow_connection.limit + 2_000
    assert received == [f"id-{number}" for number in range(300)]
    wait_until(lambda: slow_connection.state is not State.OPEN)
    *got, last = slow.read_all()
    assert last == ("close", CloseCode.TOO_SLOW)
    assert [json.loads(text)["data"]["id"] for text in got] == [f"id-{number}" for number in range(len(got))]


def test_a_burst_for_a_slow_client_never_grows_past_the_limit(hub, connect, reactor, no_bursts):
    connection, _ = connect(limit=8 * 1024)
    most = []
    close = type(connection).close

    def watched(self, code, reason=""):
        most.append(self.backlog.total if self.backlog else 0)
        close(self, code, reason)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(connection), "close", watched)
        for number in range(500):
            large = item(number, body={"x": "y" * 1_000})
            hub.deliver(Event("created", "user:ada", {"notification": large, "unread": 1}))
        settle(reactor)
    assert 8 * 1024 < most[0] < 8 * 1024 + 3 * 2_000  # the limit, the frame that is written, the one too many
    assert connection.state is not State.OPEN


def test_other_work_is_done_between_the_slices_of_a_fan_out(hub, connect, reactor, monkeypatch):
    monkeypatch.setattr(budget, "SENDS", 2)
    for number in range(9):
        connect(str(number))
    turns, ended = [], []

    def look():
        turns.append(1)
        if not ended:
            reactor.call_soon(look)

    reactor.call_soon(look)
    hub.deliver(created(1))
    hub.in_turn(lambda: ended.append(len(turns)))
    wait_until(lambda: ended)
    assert ended[0] >= 4


class Mute(JsonWire):
    """A wire that fails at every new notification."""

    def render(self, event):
        if event.kind == "created":
            raise ZeroDivisionError("its template divides by zero")
        return super().render(event)


def test_a_wire_that_fails_silences_no_other_and_the_work_afterwards_is_done(hub, connect, reactor, caplog):
    mute_connection, mute = make_pair(Format(Mute(), json_format().transport), "mute", user_id="bob")
    hub.open(mute_connection, ("global",))
    hub.release(mute_connection, [])
    _, ada = connect()
    joined = Event("joined", "global", {"audience": "group:ops", "unread": 3})
    together = created(1, "global"), created(2, "global"), joined
    reactor.call_soon(lambda: [hub.deliver(event) for event in together])
    assert ids(ada, 2) == ["id-1", "id-2"]
    assert counts(ada, 1) == counts(mute, 1) == [3]
    settle(reactor)
    assert hub.listeners.users_of("group:ops") == {"ada", "bob"}
    assert len(caplog.records) == 2, "once for each event, however many would have heard it"
    reactor.call_soon(mute_connection.lost)
    settle(reactor)
    mute.close()


def test_work_that_fails_after_one_event_is_done_after_the_others(hub, connect, reactor, caplog):
    connection, client = connect()
    broken = Event("joined", "global", {"unread": 1})  # says nothing of where
    good = Event("joined", "global", {"audience": "group:ops", "unread": 2})
    kick = Event("kick", "global", {"session": None, "code": 4009})
    reactor.call_soon(lambda: [hub.deliver(event) for event in (broken, good)])
    assert counts(client, 2) == [1, 2]
    settle(reactor)
    assert hub.listeners.users_of("group:ops") == {"ada"}
    assert "what follows joined for global" in caplog.text
    reactor.call_soon(lambda: [hub.deliver(event) for event in (Event("created", "global", {}), kick)])
    assert client.read_all() == [("close", 4009)]
    assert connection.state is not State.OPEN


def test_a_connection_that_fails_is_let_go_and_its_neighbours_hear_all(hub, connect, reactor, caplog):
    before, first = connect("1")
    broken, _ = connect("2")
    _, last = connect("3")

    def fail(*_):
        raise RuntimeError("no such socket")

    broken.send = fail
    hub.deliver(created(1))
    assert ids(first, 1) == ids(last, 1) == ["id-1"]
    settle(reactor)
    assert (before.state, broken.state) == (State.OPEN, State.CLOSED)
    assert "no such socket" in caplog.text


# Coming and going


def test_nobody_who_is_not_signed_in_stays(hub, connect):
    _, client = connect("1", "global", user_id=None)
    assert client.read_all() == [("close", CloseCode.NOT_SIGNED_IN)]


def test_a_user_has_so_many_connections_and_another_as_many(reactor, connect):
    small = make_hub(reactor, connections_per_user=2)
    first, _ = connect("1", hub=small)
    connect("2", hub=small)
    _, third = connect("3", hub=small)
    assert third.read_all() == [("close", CloseCode.TOO_MANY)]
    other, _ = connect("4", hub=small, user_id="bob")
    assert (first.state, other.state) == (State.OPEN, State.OPEN)
    reactor.call_soon(first.lost)
    again, _ = connect("5", hub=small)
    assert again.state is State.OPEN


@pytest.mark.parametrize(("session", "closed"), [("s1", ["1", "2"]), (None, ["1", "2", "3"]), ("unknown", [])])
def test_a_kick_closes_one_session_in_all_tabs_or_all_of_the_users(hub, connect, session, closed):
    connections = {}
    for name, its_session, user_id in (("1", "s1", "ada"), ("2", "s1", "ada"), ("3", "s2", "ada"), ("4", "s1", "bob")):
        connections[name] = connect(name, user_id=user_id)[0]
        connections[name].session = its_session
    hub.deliver(Event("kick", "user:ada", {"session": session, "code": 4009}))
    settle(hub.reactor)
    assert [name for name, each in connections.items() if each.state is not State.OPEN] == closed


def test_a_renewal_moves_the_end_of_that_session_and_no_other(hub, connect):
    connections = {}
    for name, its_session in (("1", "s1"), ("2", "s1"), ("3", "s2"), ("4", None)):
        connections[name] = connect(name)[0]
        connections[name].session = its_session
        hub.end_at(connections[name], 1e12)
    hub.deliver(Event("renewed", "user:ada", {"session": "s1", "ends_at": 2e12}))
    settle(hub.reactor)
    assert [each.ends_at for each in connections.values()] == [2e12, 2e12, 1e12, 1e12]


def late_one(hub, make, session):
    """A connection that was let in before, and is registered only now."""
    connection, client = make
    connection.session, connection.user_id = session, "ada"
    hub.end_at(connection, 1e12)
    hub.open(connection, ("global", "user:ada"))
    hub.release(connection, [])
    settle(hub.reactor)
    return client


@pytest.mark.parametrize("audience", ["user:ada", "global"])
def test_a_connection_of_a_session_that_has_just_ended_is_closed_at_once(hub, late, audience):
    hub.deliver(Event("kick", audience, {"session": "s1", "code": 4009}))
    settle(hub.reactor)
    assert late_one(hub, late, "s1").read_all() == [("close", CloseCode.SIGNED_OUT)]


def test_a_connection_of_another_session_stays(hub, late):
    hub.deliver(Event("kick", "user:ada", {"session": "s1", "code": 4009}))
    hub.deliver(Event("kick", "user:ada", {"session": None, "code": 4009}))
    settle(hub.reactor)
    assert late_one(hub, late, "s2").hears_nothing()


def test_a_connection_of_a_session_that_was_just_renewed_lives_as_long(hub, late):
    hub.deliver(Event("renewed", "user:ada", {"session": "s1", "ends_at": 2e12}))
    settle(hub.reactor)
    late_one(hub, late, "s1")
    assert late[0].ends_at == 2e12


def test_no_client_hears_of_a_renewal(hub, connect):
    connection, client = connect()
    connection.session = "s1"
    hub.deliver(Event("renewed", "user:ada", {"session": "s1", "ends_at": 2e12}))
    settle(hub.reactor)
    assert client.hears_nothing()


def test_a_kick_is_the_last_thing_that_is_said(hub, connect):
    connection, client = connect()
    connection.session = "s"
    hub.deliver(sync(1))
    hub.deliver(Event("kick", "user:ada", {"session": "s", "code": 4009}))
    hub.deliver(sync(2))
    first, last = client.read_all()
    assert json.loads(first)["data"]["unreadCount"] == 1
    assert last == ("close", 4009)


def test_who_has_gone_leaves_nothing_behind(hub, connect):
    gauge = metrics.CONNECTIONS.labels(wire="json")
    before = gauge._value.get()
    connection, client = connect("1", "global", "user:ada", "group:x")
    hub.subscribe(connection, "group:y")
    settle(hub.reactor)
    assert gauge._value.get() == before + 1
    client.close()
    wait_until(lambda: len(hub) == 0)
    settle(hub.reactor)
    assert len(hub.listeners) == 0
    assert not any(hub.heartbeat._slices)
    assert hub.user_ids() == set()
    assert gauge._value.get() == before


# Heartbeats


def test_telling_one_supersedes_what_it_has_not_read(hub, connect):
    connection, client = connect()
    hub.deliver(Event("created", "user:ada", {"notification": item(1, body={"x": "y" * 30_000}), "unread": 1}))
    settle(hub.reactor)
    for number in range(50):
        hub.tell_count([connection], number)
    hub.tell(connection, None)
    settle(hub.reactor)
    client.read(1)
    assert counts(client, 1) == [49]


def test_a_count_takes_its_turn_behind_the_broadcasts_that_are_in_it(hub, connect, busy):
    """Or whoever has the count, but not yet the broadcast, would be told one too many."""
    connection, client = connect()
    hub.deliver(Event("sync", "user:ada", {"unread": 1, "as_of": 0}))
    busy(created(1, "global"), lambda: hub.tell_count([connection], Count(2, as_of=1)))
    assert connection.told == 2
    seen = [json.loads(text) for text in client.read(4)]
    assert [each["data"].get("unreadCount") for each in seen] == [1, None, 2, 2]


# Membership


def test_connections_follow_their_users_membership(hub, connect):
    mine, client = connect("1", "global", "user:ada")
    hub.deliver(Event("joined", "user:ada", {"unread": 0, "as_of": 0, "audience": "group:ops"}))
    wait_until(lambda: hub.listeners.count("group:ops") == 1)
    hub.deliver(created(1, "group:ops"))
    hub.deliver(Event("left", "user:ada", {"unread": 0, "audience": "group:ops"}))
    wait_until(lambda: hub.listeners.count("group:ops") == 0)
    hub.deliver(created(2, "group:ops"))
    hub.deliver(sync(5))
    settle(hub.reactor)
    seen = [json.loads(text) for text in client.read(5)]
    assert [each["event"] for each in seen] == ["pong", "notification", "pong", "pong", "pong"]
    assert [each["data"].get("unreadCount") for each in seen] == [0, None, 1, 0, 5]
    assert mine.audiences == ("global", "user:ada")


def test_whoever_is_here_or_just_opening_is_heard_of(hub, connect, reactor, late):
    """Whoever stores an item and then asks must not miss a connection that has read its inbox before."""
    connection, _ = late
    connect("1", user_id="bob")
    assert hub.is_heard("user:bob")
    assert not hub.is_heard("user:ada")
    known = []
    audiences = "user:ada", f"connection:{connection.id}"
    assert not hub.is_heard(audiences[1])
    reactor.call_soon(lambda: (hub.open(connection, ("user:ada",)), known.extend(map(hub.is_heard, audiences))))
    wait_until(lambda: known and not hub._coming)
    assert known == [True, True], "asked on the reactor, which can't have come to the opening yet"
    assert all(map(hub.is_heard, audiences))
    reactor.call_soon(connection.lost)
    settle(reactor)
    assert not hub.is_heard(audiences[1])
    assert not hub.is_heard("user:ada")
