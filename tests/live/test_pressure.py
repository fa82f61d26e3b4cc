"""Pressure: slow clients cost a bounded amount of memory, and those who take nothing are let go in every state."""

import pytest
from pair import created, make_hub, make_pair, settle
from servers import wait_until

from notiway import metrics
from notiway.live import backlog, pressure
from notiway.live.state import State
from notiway.values.close_codes import CloseCode

LARGE = {"body": {"x": "y" * 30_000}}


@pytest.fixture
def now(monkeypatch):
    moment = [100.0]
    for module in (backlog, pressure):
        monkeypatch.setattr(module, "monotonic", lambda: moment[0])
    return moment


@pytest.fixture
def fill(hub):
    """Sends more than a socket takes to everybody who listens."""

    def fill():
        for number in range(20):
            hub.deliver(large(number, "global"))
        settle(hub.reactor)

    return fill


def large(number, audience):
    event = created(number, audience)
    event.data["notification"]["body"] = LARGE["body"]
    return event


def test_a_client_that_takes_nothing_is_closed_though_nothing_more_comes(hub, connect, fill, now):
    connection, client = connect(limit=4 * 1024)
    fill()
    now[0] += backlog.STALL_SECONDS
    hub.reactor.call_soon(hub.pressure.sweep)
    settle(hub.reactor)
    assert connection.state is State.OPEN
    now[0] += 0.1
    hub.reactor.call_soon(hub.pressure.sweep)
    settle(hub.reactor)
    assert connection.state is not State.OPEN
    assert client.read_all()[-1] == ("close", CloseCode.TOO_SLOW)


def test_a_little_that_nobody_takes_is_not_kept_for_ever(reactor, connect, now):
    hub = make_hub(reactor, heartbeat_seconds=10)
    connection, _ = connect(hub=hub, limit=64 * 1024 * 1024)
    for number in range(20):
        hub.deliver(large(number, "global"))
    settle(reactor)
    assert 0 < connection.backlog.total < connection.limit
    now[0] += 20.1
    reactor.call_soon(hub.pressure.sweep)
    settle(reactor)
    assert connection.state is State.CLOSED
    assert (len(hub), hub.pressure.queued) == (0, 0)


def test_over_the_limit_for_all_the_one_goes_who_has_taken_nothing_for_the_longest(reactor, connect, now):
    hub = make_hub(reactor, queue_total=600_000)
    dropped = metrics.MEMORY_DROPS._value.get()
    oldest, _ = connect("oldest", "group:old", hub=hub, limit=64 * 1024 * 1024)
    for number in range(10):
        hub.deliver(large(number, "group:old"))
    settle(reactor)
    now[0] += 1
    newer, _ = connect("newer", "group:new", hub=hub, limit=64 * 1024 * 1024)
    for number in range(15):
        hub.deliver(large(number, "group:new"))
    settle(reactor)
    assert oldest.state is not State.OPEN
    assert newer.state is State.OPEN
    assert hub.pressure.queued <= 600_000
    assert metrics.MEMORY_DROPS._value.get() == dropped + 1


def test_a_frame_that_waits_for_many_counts_once_so_a_burst_closes_no_reader(reactor, connect):
    """60 quick readers and one array of 2 MB: 32 of them were closed, for the same bytes were charged to each."""
    hub = make_hub(reactor, queue_total=1_000_000)
    readers = [connect(str(number), hub=hub, limit=4 * 1024) for number in range(20)]
    for number in range(20):
        hub.deliver(large(number, "global"))
    settle(reactor)
    assert hub.pressure.queued < 1_000_000
    for connection, client in readers:
        assert len(client.read(20)) == 20
        assert connection.state is State.OPEN
    wait_until(lambda: hub.pressure.queued == 0)


def test_over_the_limit_those_that_have_stalled_go_before_those_that_have_much_to_read(reactor, connect, now):
    hub = make_hub(reactor, queue_total=900_000)
    stalled, _ = connect("stalled", "group:few", hub=hub, limit=64 * 1024 * 1024)
    for number in range(5):
        hub.deliver(large(number, "group:few"))
    settle(reactor)
    now[0] += backlog.STALL_SECONDS + 1
    reading, client = connect("reading", "group:many", hub=hub, limit=64 * 1024 * 1024)
    for number in range(28):
        hub.deliver(large(number, "group:many"))
    settle(reactor)
    assert stalled.state is not State.OPEN
    assert reading.state is State.OPEN
    assert len(client.read(28)) == 28


def test_over_the_limit_the_one_goes_that_has_the_most_to_read_where_all_read(reactor, connect, now):
    hub = make_hub(reactor, queue_total=600_000)
    little, client = connect("little", "group:little", hub=hub, limit=64 * 1024 * 1024)
    for number in range(5):
        hub.deliver(large(number, "group:little"))
    much, _ = connect("much", "group:much", hub=hub, limit=64 * 1024 * 1024)
    for number in range(20):
        hub.deliver(large(number, "group:much"))
    settle(reactor)
    assert much.state is not State.OPEN
    assert little.state is State.OPEN
    assert len(client.read(5)) == 5


def test_a_thousand_slow_clients_together_stay_under_the_limit(reactor, speech):
    hub = make_hub(reactor, queue_total=1_000_000, connections_per_user=10_000)
    pairs = [make_pair(speech, str(number), 64 * 1024 * 1024) for number in range(200)]
    for connection, _ in pairs:
        hub.open(connection, ("global",))
        hub.release(connection, [])
    most = []
    for number in range(30):
        hub.deliver(large(number, "global"))
        hub.in_turn(lambda: most.append(hub.pressure.queued))
    settle(reactor)
    assert len(most) == 30
    assert max(most) <= 1_000_000
    for connection, client in pairs:
        reactor.call_soon(connection.lost)
        client.close()
    settle(reactor)
    assert hub.pressure.queued == 0


def test_readers_that_read_keep_their_connection_through_a_burst_beyond_their_limit(hub, connect):
    """20 of 20 clients were closed by one array of 1,000 envelopes that the contract allows."""
    connections = [connect(str(number), limit=4 * 1024) for number in range(5)]
    for number in range(100):
        hub.deliver(large(number, "global"))
    for connection, client in connections:
        assert len(client.read(100)) == 100
        assert connection.state is State.OPEN
    settle(hub.reactor)
    wait_until(lambda: hub.pressure.queued == 0)
