"""Pump: events fan out in order, and turns keep their place among them."""

import pytest
from pair import counts, created, ids, settle, sync
from servers import wait_until

from notiway.live.delivery import pump
from notiway.live.state import State
from notiway.values.event import Event


def test_events_keep_their_order_and_a_burst_is_complete(hub, connect):
    _, client = connect()
    for number in range(100):
        hub.deliver(created(number, unread=1))
    assert ids(client, 100) == [f"id-{number}" for number in range(100)]


@pytest.mark.parametrize("turn", [1, 2])
def test_an_event_after_the_opening_is_never_missed_however_busy_the_hub_is(hub, connect, reactor, late, turn):
    """Between two turns of a fan-out a socket opens and an event follows: the event must not overtake the opening."""
    connection, client = late
    connect("busy", "user:bob", user_id="bob")
    turns = []

    def open_and_deliver():
        if reactor._jobs:
            turns.append(1)
            if len(turns) == turn:
                hub.open(connection, ("user:ada",))
                hub.deliver(sync(5))

    reactor.call_soon(reactor.every, 0, open_and_deliver)  # timers run after the calls, before the fan-out
    hub.deliver(sync(1, "user:bob"))
    wait_until(lambda: len(turns) >= turn)
    settle(reactor)
    hub.release(connection, [])
    assert counts(client, 1) == [5]


def test_who_opens_after_an_event_does_not_hear_it_however_busy_the_hub_is(hub, busy, late):
    """It is in what the connection is told at first, if it was stored at all."""
    connection, client = late
    busy(sync(1), lambda: hub.open(connection, ("user:ada",)))
    hub.release(connection, [])
    hub.deliver(sync(2))
    assert counts(client, 1) == [2]


def test_who_opens_between_two_events_for_one_audience_hears_the_second(hub, connect, busy, late):
    """Neighbours for the same audience are joined, but not across an opening."""
    _, before = connect()
    connection, client = late

    def open_and_deliver():
        hub.open(connection, ("user:ada",))
        hub.deliver(sync(2))
        hub.release(connection, [])
        hub.deliver(sync(3))

    busy(sync(1), open_and_deliver)
    assert counts(before, 3) == [1, 2, 3]
    assert counts(client, 2) == [2, 3]


def test_who_comes_back_after_a_kick_is_not_thrown_out_by_it(hub, busy, late):
    connection, _ = late
    busy(Event("kick", "user:ada", {"session": None, "code": 4009}), lambda: hub.open(connection, ("user:ada",)))
    assert connection.state is State.OPEN


def test_a_subscription_begins_and_ends_between_the_events_where_it_was_asked_for(hub, connect, busy):
    connection, client = connect()
    busy(sync(1, "group:x"), lambda: hub.in_turn(hub.listeners.add, connection, "group:x"))
    busy(sync(2, "group:x"), lambda: hub.unsubscribe(connection, "group:x"))
    hub.deliver(sync(3, "group:x"))
    hub.deliver(sync(4))
    assert counts(client, 2) == [2, 4]


def test_who_is_gone_before_its_turn_leaves_nothing_behind(hub, busy, late):
    connection, _ = late

    def come_and_go():
        hub.open(connection, ("user:ada",))
        connection.lost()

    busy(sync(1), come_and_go)
    assert len(hub) == len(hub.listeners) == 0


def test_a_fault_in_one_turn_harms_no_other(hub, connect, busy, caplog):
    _, client = connect()

    def fail():
        raise RuntimeError("boom")

    busy(sync(1), lambda: hub.in_turn(fail))
    hub.deliver(sync(2))
    assert counts(client, 2) == [1, 2]
    assert "the hub goes on after a fault" in caplog.text


def test_many_small_fan_outs_do_not_hold_up_other_work_either(hub, reactor):
    turns, ended = [], []

    def look():
        turns.append(1)
        if not ended:
            reactor.call_soon(look)

    def burst():
        for number in range(200):
            hub.deliver(created(number, f"user:{number}"))
        hub.in_turn(lambda: ended.append(len(turns)))
        look()

    reactor.call_soon(burst)
    wait_until(lambda: ended)
    assert ended[0] >= 199


def test_a_fault_in_one_event_harms_no_other_audience(hub, connect, caplog):
    _, ada = connect("1")
    _, bob = connect("2", user_id="bob")
    hub.deliver(Event("created", "user:bob", {}))  # without its notification
    hub.deliver(sync(1))
    hub.deliver(sync(2, "user:bob"))
    assert counts(ada, 1) == [1]
    assert counts(bob, 1) == [2]
    assert "created for user:bob" in caplog.text


@pytest.mark.parametrize("joined", [1, 4, 100])
def test_neighbours_are_joined_so_many_at_once(reactor, monkeypatch, joined):
    """They are rendered without a pause, so a burst for one audience is no single piece of work."""
    monkeypatch.setattr(pump, "JOINED", joined)
    monkeypatch.setattr(pump, "TAKEN", 7)
    parts = []

    def fan_out(audience, events):
        parts.append([event.data["unread"] for event in events])
        yield

    taking = pump.Pump(reactor, fan_out)
    for number in range(10):
        reactor.call_soon(taking.take, sync(number))
    reactor.call_soon(taking.take_turn, lambda: parts.append("turn"))
    wait_until(lambda: parts and parts[-1] == "turn")
    assert [number for part in parts[:-1] for number in part] == list(range(10))
    assert max(map(len, parts[:-1])) <= min(joined, 7)
