"""Heartbeat: who answers stays, who is silent goes, and pings are spread."""

import pytest
from pair import make_hub, make_pair, settle
from servers import wait_until

from notiway.live import heartbeat
from notiway.live.badges import Badges
from notiway.live.carriers import hub_protocol
from notiway.live.carriers.hub_protocol import SignalRTransport
from notiway.live.delivery.format import Format
from notiway.live.state import State
from notiway.live.wires.signalr import SignalRWire


def beat_once_round(hub):
    for _ in range(heartbeat.SLICES):
        hub.reactor.call_soon(hub.heartbeat.beat)
    settle(hub.reactor)


def test_a_client_that_answers_stays_and_a_silent_one_goes(hub, connect):
    quiet, _ = connect("quiet")
    lively, client = connect("lively")
    beat_once_round(hub)
    assert client.read(1) == ["ping"]
    client.send("here")
    wait_until(lambda: lively.missed == 0)
    beat_once_round(hub)
    assert quiet.state is State.OPEN, "one interval of silence is forgiven: a client may ping at the same pace"
    client.send("still here")
    wait_until(lambda: lively.missed == 0)
    beat_once_round(hub)
    assert (quiet.state, lively.state) == (State.CLOSED, State.OPEN)


def test_beats_are_spread_over_the_interval(hub, connect):
    slots = {connect(str(number))[0].slot for number in range(10)}
    assert len(slots) == 10


@pytest.fixture
def signalr_client(reactor):
    """Opens a SignalR connection in a hub: `signalr_client(hub)`; gives it with its client."""
    opened = []

    def make(hub):
        spoken = Format(SignalRWire(), SignalRTransport(lambda connection, text: None, 32 * 1024))
        opened.append(make_pair(spoken))
        Badges(reactor, hub, lambda work: None)  # makes it beat
        hub.open(opened[-1][0], ("user:ada",))
        hub.release(opened[-1][0], [])
        settle(reactor)
        return opened[-1]

    yield make
    for connection, client in opened:
        reactor.call_soon(connection.lost)
        client.close()
    settle(reactor)


def test_signalr_clients_are_pinged_more_often_than_they_wait_whatever_the_heartbeat(
    reactor, signalr_client, monkeypatch
):
    assert heartbeat.QUICK_SECONDS <= hub_protocol.SILENCE_SECONDS / 2
    monkeypatch.setattr(heartbeat, "QUICK_SECONDS", 0.05)
    _, client = signalr_client(make_hub(reactor, heartbeat_seconds=3_600))
    assert client.read(2) == ['{"type":6}\x1e'] * 2


def test_a_quick_heartbeat_pings_signalr_clients_as_quickly(reactor, signalr_client):
    _, client = signalr_client(make_hub(reactor, heartbeat_seconds=0.1))
    assert client.read(2) == ['{"type":6}\x1e'] * 2
