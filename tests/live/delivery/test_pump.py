"""Pump: events fan out in order, and turns keep their place among them."""

import itertools
from types import SimpleNamespace

import pytest
from pair import counts, created, ids, settle, sync
from servers import wait_until

from notiway.live.delivery import budget as budget_module
from notiway.live.delivery import pump
from notiway.live.delivery.budget import Budget
from notiway.live.delivery.waiting import Waiting
from notiway.live.state import State
from notiway.values.event import Event


def test_events_keep_their_order_and_a_burst_is_complete(hub, connect):
    _, client = connect()
    for number in range(100):
        hub.deliver(created(number, unread=1))
    assert ids(client, 100) == [f"id-{number}" for number in range(100)]


@pytest.mark.parametrize("turn", [1, 2])
def test_an_event_after_the_opening_is_never_missed_however_busy_the_hub_is(
    hub, connect, reactor, late, turn, monkeypatch
):
    """Between two turns of a fan-out a socket opens and an event follows: the event must not overtake the opening."""
    monkeypatch.setattr(budget_module, "SENDS", 1)
    connection, client = late
    for name in ("busy", "busy too"):
        connect(name, "user:bob", user_id="bob")
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


class Turns:
    """In place of the reactor: turns the pump's job by hand."""

    def __init__(self):
        self.jobs = []

    def add_job(self, job):
        self.jobs.append(job)

    def turn(self):
        """One slice; whether there is more to do."""
        try:
            next(self.jobs[0])
        except StopIteration:
            self.jobs.clear()
        return bool(self.jobs)


@pytest.fixture
def clock():
    return SimpleNamespace(now=100.0)


@pytest.fixture
def work(clock):
    """A pump by hand, whose Events take `milliseconds` each to deliver: `work(1.0)`."""

    def make(milliseconds, sends=1):
        told = []

        def fan_out(audience, events, budget):
            for _ in range(sends):
                if budget.is_spent:
                    yield
                budget.take(1)
                clock.now += milliseconds / 1_000 / sends
            told.extend(events)

        reactor, waiting = Turns(), Waiting(lambda: clock.now)
        budget = Budget(lambda: waiting.oldest_seconds, lambda: clock.now)
        return pump.Pump(reactor, fan_out, waiting, budget), reactor, waiting, told

    return make


def burst(taking, count):
    for number in range(count):
        taking.take(created(number, f"user:{number}"))


def test_as_many_small_fan_outs_are_done_at_once_as_a_millisecond_takes(work):
    """One in each turn of the loop would be outrun by the requests that run between two turns."""
    taking, reactor, waiting, told = work(0.1)
    burst(taking, 100)
    assert reactor.turn()
    assert len(told) == 10
    assert reactor.turn()
    assert len(told) == 20
    assert len(waiting) == 80


def test_what_costs_no_time_by_the_clock_is_bounded_by_its_sends(work):
    taking, reactor, _, told = work(0.0)
    burst(taking, 500)
    assert [reactor.turn() and len(told) for _ in range(3)] == [200, 400, False]
    assert len(told) == 500


def test_events_that_are_late_get_half_as_much_as_the_requests_before_them(work, clock):
    taking, reactor, _, told = work(0.1)
    burst(taking, 1_000)
    reactor.turn()
    done = [len(told)]
    for seconds in (0.01, 0.01, 0.01, 10.0):
        clock.now += seconds  # requests run
        reactor.turn()
        done.append(len(told))
    assert [after - before for before, after in itertools.pairwise(done)] == [10, 50, 50, 200]


def test_delivery_is_not_outrun_by_eight_requests_a_turn(work, clock):
    """Each request takes 0.7 ms and publishes one Event that takes 0.2 ms: five fit into a turn, eight come."""
    taking, reactor, waiting, _ = work(0.2)
    ages = []
    for turn in range(500):
        for number in range(8):
            taking.take(created(turn * 8 + number, f"user:{number}"))
            clock.now += 0.0007
        reactor.turn()
        ages.append(waiting.oldest_seconds)
    assert max(ages) < 0.05
    assert len(waiting) < 50


def test_a_wide_fan_out_pauses_after_two_hundred_sends_however_late_it_is(work, clock):
    taking, reactor, waiting, told = work(10.0, sends=1_000)
    burst(taking, 2)
    clock.now += 60
    turns = 1
    while reactor.turn():
        turns += 1
    assert turns >= 10
    assert len(told) == 2
    assert len(waiting) == 0


def test_what_fails_waits_no_longer(work, clock, caplog):
    taking, reactor, waiting, _ = work(0.1)

    def fail(audience, events, budget):
        raise RuntimeError("boom")
        yield

    taking._fan_out = fail
    burst(taking, 3)
    while reactor.turn():
        pass
    assert len(waiting) == 0
    assert waiting.oldest_seconds == 0
    assert caplog.text.count("did not reach every connection") == 3


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

    def fan_out(audience, events, budget):
        parts.append([event.data["unread"] for event in events])
        yield

    taking = pump.Pump(reactor, fan_out, Waiting())
    for number in range(10):
        reactor.call_soon(taking.take, sync(number))
    reactor.call_soon(taking.take_turn, lambda: parts.append("turn"))
    wait_until(lambda: parts and parts[-1] == "turn")
    assert [number for part in parts[:-1] for number in part] == list(range(10))
    assert max(map(len, parts[:-1])) <= min(joined, 7)
