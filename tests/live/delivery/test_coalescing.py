"""Coalescing: the newest of each, at every tick, and never behind what came after it."""

import pytest
from pair import item, make_hub, make_pair, settle

from notiway.live.delivery.coalescing import INTERVAL_SECONDS, Coalescing
from notiway.live.reactor import Reactor
from notiway.values.event import Event

REPORTS = 10_000


class Ticks:
    def ticker(self, seconds, function):
        self.tick = function
        return lambda: None


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def taken():
    return []


@pytest.fixture
def coalescing(ticks, taken):
    return Coalescing(ticks, taken.append)


def report(number, audience="user:ada", key="import"):
    return Event("created", audience, {"notification": item(number, persisted=False), "coalesce": key})


def numbers(events):
    return [event.data["notification"]["id"] for event in events]


def test_of_many_only_the_newest_goes_out(coalescing, ticks, taken):
    for number in range(REPORTS):
        coalescing.put(report(number))
    assert taken == []
    ticks.tick()
    ticks.tick()
    assert numbers(taken) == [f"id-{REPORTS - 1}"]


def test_what_is_about_something_else_or_for_somebody_else_is_kept(coalescing, ticks, taken):
    coalescing.put(report(1))
    coalescing.put(report(2, key="another import"))
    coalescing.put(report(3, audience="user:bob"))
    ticks.tick()
    assert numbers(taken) == ["id-1", "id-2", "id-3"]


def test_what_supersedes_nothing_goes_at_once_but_not_before_what_waits_for_its_audience(coalescing, ticks, taken):
    coalescing.put(report(1))
    coalescing.put(report(2, audience="user:bob"))
    coalescing.put(Event("created", "user:ada", {"notification": item(3)}))
    assert numbers(taken) == ["id-1", "id-3"]
    ticks.tick()
    assert numbers(taken) == ["id-1", "id-3", "id-2"]


def test_ten_thousand_reports_cost_a_client_about_ten_frames_a_second():
    reactor = Reactor()
    hub = make_hub(reactor)
    reactor.start()
    connection, client = make_pair()
    try:
        hub.open(connection, ["user:ada"])
        hub.release(connection, [])
        for number in range(REPORTS):
            hub.deliver(report(number))
        settle(reactor)
        # What was still waiting is told before the end, which is the last.
        hub.deliver(Event("created", "user:ada", {"notification": item(REPORTS)}))
        frames = [client.read()[0]]
        while f'"id-{REPORTS}"' not in frames[-1]:
            frames += client.read()
    finally:
        reactor.stop()
        reactor._thread.join()
        connection.sock.close()
        client.close()
    assert f'"id-{REPORTS - 1}"' in frames[-2]
    assert len(frames) < 60, "a few seconds at ten a second, however slow the machine"
    assert INTERVAL_SECONDS >= 0.1
