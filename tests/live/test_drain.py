"""Draining: everybody is told goodbye, not all in the same moment."""

import threading

import pytest
from pair import WAIT_SECONDS, settle

from notiway.live import drain
from notiway.live.state import State
from notiway.values.close_codes import CloseCode


def test_draining_closes_all_and_lets_nobody_in(hub, connect):
    clients = [connect(str(number))[1] for number in range(5)]
    hub.close_all(CloseCode.RESTARTING, "restarting", 0)
    assert [client.read_all() for client in clients] == [[("close", 1012)]] * 5
    assert hub.draining
    _, late = connect("late")
    assert late.read_all() == [("close", 1012)]


def test_a_drain_is_spread_over_the_window(hub, connect, reactor, monkeypatch):
    ticks = []
    monkeypatch.setattr(reactor, "ticker", lambda seconds, function: lambda: ticks.append((seconds, function)))
    connections = [connect(str(number))[0] for number in range(10)]
    hub.close_all(CloseCode.RESTARTING, "restarting", drain.TICK_SECONDS * 5)
    settle(reactor)
    ((seconds, tick),) = ticks
    assert seconds == drain.TICK_SECONDS
    left = []
    for _ in range(5):
        reactor.call_soon(tick)
        settle(reactor)
        left.append(sum(each.state is State.OPEN for each in connections))
    assert left == [8, 6, 4, 2, 0]


def test_a_drain_ends_when_all_are_gone_and_says_so(hub, connect):
    clients = [connect(str(number))[1] for number in range(3)]
    leaving = threading.Thread(target=lambda: [client.read_all() and client.close() for client in clients])
    leaving.start()
    assert drain.drain(hub, WAIT_SECONDS)
    leaving.join(WAIT_SECONDS)


def test_a_client_that_stays_does_not_hold_up_the_end(hub, connect):
    _, client = connect()
    assert not drain.drain(hub, 0.05)
    assert client.read_all() == [("close", 1012)]


@pytest.mark.parametrize(("count", "window", "spread"), [(4, 10.0, 0.02), (2_000, 10.0, 8.0)])
def test_closes_are_spread_only_as_far_as_there_are_connections(count, window, spread, monkeypatch):
    class Full:
        def __len__(self):
            return 0 if told else count

        def close_all(self, code, reason, seconds):
            told.append((code, seconds))

    told, slept = [], []
    monkeypatch.setattr(drain.time, "sleep", slept.append)
    assert drain.drain(Full(), window)
    assert told == [(CloseCode.RESTARTING, pytest.approx(spread))]
    assert slept == [], "all are gone: nothing to wait for"
