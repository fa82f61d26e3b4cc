"""Heartbeat: who answers stays, who is silent goes, and pings are spread."""

from pair import settle
from servers import wait_until

from notiway.live import heartbeat
from notiway.live.connection import State


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
