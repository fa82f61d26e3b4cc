"""Hub: who hears what, rendered once, and nobody waits for anybody."""

import json
import threading

import pytest
from pair import WAIT_SECONDS, item, json_format, make_hub, make_pair, settle
from servers import wait_until

from notiway import metrics
from notiway.live import connection as connection_module
from notiway.live import drain as closing
from notiway.live import heartbeat as beats
from notiway.live import hub as hub_module
from notiway.live import replayed as doubles
from notiway.live.connection import State
from notiway.live.format import Format
from notiway.live.reactor import Reactor
from notiway.live.wires.json import JsonWire
from notiway.values.close_codes import CloseCode
from notiway.values.event import Event


@pytest.fixture
def reactor():
    made = Reactor()
    made.start()
    yield made
    made.stop()
    made._thread.join(WAIT_SECONDS)


@pytest.fixture
def hub(reactor):
    return make_hub(reactor)


@pytest.fixture
def speech():
    """One format for all, as in an application."""
    return json_format()


@pytest.fixture
def no_bursts(monkeypatch):
    """The limit of a client that has stalled, at once."""
    monkeypatch.setattr(connection_module, "BURST_FACTOR", 1)


@pytest.fixture
def connect(hub, speech):
    clients, connections = [], []

    def make(name="c", *audiences, user_id="ada", release=True, hub=hub, limit=64 * 1024):
        connection, client = make_pair(speech, name, limit, user_id)
        clients.append(client)
        connections.append(connection)
        hub.open(connection, audiences or ("global", f"user:{user_id}"))
        if release:
            hub.release(connection, [])
        settle(hub.reactor)
        return connection, client

    yield make
    for connection, client in zip(connections, clients, strict=True):
        hub.reactor.call_soon(connection.lost)
        client.close()
    settle(hub.reactor)


def sync(unread, audience="user:ada"):
    return Event("sync", audience, {"unread": unread})


def created(number, audience="user:ada", **more):
    return Event("created", audience, {"notification": item(number), **more})


def counts(client, number):
    return [json.loads(text)["data"]["unreadCount"] for text in client.read(number)]


def ids(client, number):
    return [json.loads(text)["data"]["id"] for text in client.read(number)]


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


def test_events_keep_their_order_and_a_burst_is_complete(hub, connect):
    _, client = connect()
    for number in range(100):
        hub.deliver(created(number, unread=1))
    assert ids(client, 100) == [f"id-{number}" for number in range(100)]


def test_an_event_is_rendered_once_for_all_who_speak_alike(hub, connect, speech, monkeypatch):
    rendered = []
    encode = type(speech.transport).encode
    monkeypatch.setattr(type(speech.transport), "encode", lambda *args: (rendered.append(1), encode(*args))[1])
    clients = [connect(str(number))[1] for number in range(20)]
    hub.deliver(sync(1))
    assert [counts(client, 1) for client in clients] == [[1]] * 20
    assert len(rendered) == 1


def test_what_a_wire_has_nothing_to_say_of_is_not_sent(hub, connect):
    _, client = connect()
    hub.deliver(Event("kick", "user:ada", {"session": "another", "code": 4009}))
    hub.deliver(sync(1))
    assert counts(client, 1) == [1]


# The gap between page and socket


def test_what_comes_before_the_release_waits_and_comes_once(hub, connect):
    connection, client = connect(release=False)
    hub.deliver(created(1, unread=1))
    hub.deliver(created(2, unread=2))
    settle(hub.reactor)
    assert client.hears_nothing()
    replay = speech_of(connection).render(created(1))
    hub.release(connection, ["first", replay], ["id-1"])
    hub.deliver(created(3, unread=3))
    assert client.read(1) == ["first"]
    assert ids(client, 3) == ["id-1", "id-2", "id-3"]


def test_what_was_replayed_is_not_told_again_when_its_event_comes_late(hub, connect, moment):
    """The item was committed before the replay and is published after it."""
    connection, client = connect(release=False)
    hub.release(
        connection,
        [speech_of(connection).render(created(1)), speech_of(connection).render(created(2))],
        ["id-1", "id-2"],
    )
    settle(hub.reactor)
    hub.deliver(created(2))
    hub.deliver(created(3))
    assert ids(client, 3) == ["id-1", "id-2", "id-3"]
    moment[0] += doubles.KEEP_SECONDS
    hub.reactor.call_soon(hub._doubles._forget)
    settle(hub.reactor)
    assert (connection.known, connection.direct, len(hub._doubles)) == (frozenset(), True, 0)
    hub.deliver(created(2))
    assert ids(client, 1) == ["id-2"]


def test_a_second_replay_adds_to_what_is_known_and_keeps_it_its_own_time(hub, connect, moment):
    connection, _ = connect(release=False)
    hub.release(connection, [], ["id-1"])
    settle(hub.reactor)
    moment[0] += doubles.KEEP_SECONDS / 2
    hub.hold(connection)
    hub.release(connection, [], ["id-2"])
    settle(hub.reactor)
    assert connection.known == {"id-1", "id-2"}
    moment[0] += doubles.KEEP_SECONDS / 2
    hub.reactor.call_soon(hub._doubles._forget)
    settle(hub.reactor)
    assert connection.known == {"id-2"}


def speech_of(connection):
    return connection.format.wire


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


@pytest.fixture
def moment(monkeypatch):
    """What the clock says that bounds how long a replay is known; a list of one, to be moved by hand."""
    moment = [1_000.0]
    monkeypatch.setattr(doubles, "monotonic", lambda: moment[0])
    return moment


@pytest.fixture
def late(reactor):
    """A connection that has not been opened yet, and its client."""
    connection, client = make_pair(json_format(), "late")
    yield connection, client
    reactor.call_soon(connection.lost)
    settle(reactor)
    client.close()


@pytest.fixture
def busy(hub, reactor):
    """Does a thing between taking an event and its fan-out."""

    def between(event, call):
        done = threading.Event()
        ahead = iter(lambda: done.is_set() or None, True)  # a job that lasts until then
        reactor.call_soon(reactor.add_job, ahead)
        hub.deliver(event)
        call()
        reactor.call_soon(done.set)
        settle(reactor)

    return between


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
    busy(sync(1, "group:x"), lambda: hub.subscribe(connection, "group:x"))
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

    busy(sync(1), lambda: hub._in_turn(fail))
    hub.deliver(sync(2))
    assert counts(client, 2) == [1, 2]
    assert "the hub goes on after a fault" in caplog.text


# Nobody waits for a slow client


def test_a_client_that_stops_reading_is_closed_and_the_others_wait_for_none_of_it(hub, connect, no_bursts):
    slow_connection, slow = connect("slow")
    _, quick = connect("quick")
    received = []
    for number in range(300):
        hub.deliver(Event("created", "user:ada", {"notification": item(number, body={"x": "y" * 1_000}), "unread": 1}))
        received += ids(quick, 1)
        assert slow_connection.backlog_bytes <= slow_connection.limit
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
        most.append(sum(len(data) for _, data in self.backlog))
        close(self, code, reason)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(connection), "close", watched)
        for number in range(500):
            large = item(number, body={"x": "y" * 1_000})
            hub.deliver(Event("created", "user:ada", {"notification": large, "unread": 1}))
        settle(reactor)
    assert 8 * 1024 < most[0] < 8 * 1024 + 3 * 2_000  # the limit, the frame that is written, the one too many
    assert connection.state is not State.OPEN


def test_a_badge_that_waits_is_superseded_by_the_next(hub, connect):
    connection, client = connect()
    hub.deliver(Event("created", "user:ada", {"notification": item(1, body={"x": "y" * 30_000}), "unread": 1}))
    settle(hub.reactor)
    assert connection.backlog
    for number in range(1, 200):
        hub.deliver(sync(number))
        settle(hub.reactor)
    assert len(connection.backlog) <= 3
    client.read(1)
    assert counts(client, 1) == [199]


def test_other_work_is_done_between_the_slices_of_a_fan_out(hub, connect, reactor, monkeypatch):
    monkeypatch.setattr(hub_module, "SLICE_SENDS", 2)
    for number in range(9):
        connect(str(number))
    turns, ended = [], []

    def look():
        turns.append(1)
        if not ended:
            reactor.call_soon(look)

    def after(event, users):
        ended.append(len(turns))

    hub.on_broadcast = after
    reactor.call_soon(look)
    hub.deliver(created(1))
    wait_until(lambda: ended)
    assert ended[0] >= 4


def test_many_small_fan_outs_do_not_hold_up_other_work_either(hub, reactor):
    turns, ended = [], []

    def look():
        turns.append(1)
        if not ended:
            reactor.call_soon(look)

    hub.on_broadcast = lambda event, users: event.audience == "user:199" and ended.append(len(turns))

    def burst():
        for number in range(200):
            hub.deliver(created(number, f"user:{number}"))
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
    assert "user:bob" in caplog.text


class Mute(JsonWire):
    """A wire that fails at every new notification."""

    def render(self, event):
        if event.kind == "created":
            raise ZeroDivisionError("its template divides by zero")
        return super().render(event)


def test_a_wire_that_fails_silences_no_other_and_the_work_afterwards_is_done(hub, connect, reactor, caplog):
    settled = []
    hub.on_broadcast = lambda event, users: settled.append((event.data["notification"]["id"], users))
    mute_connection, mute = make_pair(Format(Mute(), json_format().transport), "mute", user_id="bob")
    hub.open(mute_connection, ("global",))
    hub.release(mute_connection, [])
    _, ada = connect()
    together = created(1, "global"), created(2, "global"), sync(3, "global")
    reactor.call_soon(lambda: [hub.deliver(event) for event in together])
    assert ids(ada, 2) == ["id-1", "id-2"]
    assert counts(ada, 1) == counts(mute, 1) == [3]
    settle(reactor)
    assert settled == [("id-1", ["ada", "bob"]), ("id-2", ["ada", "bob"])]
    assert len(caplog.records) == 2, "once for each event, however many would have heard it"
    reactor.call_soon(mute_connection.lost)
    settle(reactor)
    mute.close()


def test_work_that_fails_after_one_event_is_done_after_the_others(hub, connect, reactor, caplog):
    seen = []

    def settle_or_fail(event, users):
        if event.data["notification"]["id"] == "id-1":
            raise RuntimeError("boom")
        seen.append(event.data["notification"]["id"])

    hub.on_broadcast = settle_or_fail
    _, client = connect()
    reactor.call_soon(lambda: [hub.deliver(created(number, "global")) for number in (1, 2)])
    assert ids(client, 2) == ["id-1", "id-2"]
    settle(reactor)
    assert seen == ["id-2"]
    assert "boom" in caplog.text


def test_a_connection_that_fails_is_let_go_and_its_neighbours_hear_all(hub, connect, reactor, caplog):
    before, first = connect("1")
    broken, _ = connect("2")
    _, last = connect("3")
    settled = []
    hub.on_broadcast = lambda event, users: settled.append(users)

    def fail(*_):
        raise RuntimeError("no such socket")

    broken.send = fail
    hub.deliver(created(1))
    assert ids(first, 1) == ids(last, 1) == ["id-1"]
    settle(reactor)
    assert (before.state, broken.state) == (State.OPEN, State.CLOSED)
    assert settled == [["ada"]]
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
    assert not any(hub._beats._slices)
    assert hub.user_ids() == set()
    assert gauge._value.get() == before


def test_a_subscription_is_heard_until_it_ends(hub, connect):
    connection, client = connect()
    hub.deliver(sync(1, "group:x"))
    settle(hub.reactor)
    hub.subscribe(connection, "group:x")
    hub.subscribe(connection, "group:x")
    hub.deliver(sync(2, "group:x"))
    settle(hub.reactor)
    hub.unsubscribe(connection, "group:x")
    hub.deliver(sync(3, "group:x"))
    hub.deliver(sync(4))
    assert counts(client, 2) == [2, 4]
    assert not hub.listeners.count("group:x")


def test_draining_closes_all_and_lets_nobody_in(hub, connect):
    clients = [connect(str(number))[1] for number in range(5)]
    hub.close_all(CloseCode.RESTARTING, "restarting", 0)
    assert [client.read_all() for client in clients] == [[("close", 1012)]] * 5
    assert hub.draining
    _, late = connect("late")
    assert late.read_all() == [("close", 1012)]


def test_a_drain_is_spread_over_the_window(hub, connect, reactor, monkeypatch):
    ticks = []
    monkeypatch.setattr(reactor, "every", lambda seconds, function: ticks.append((seconds, function)))
    connections = [connect(str(number))[0] for number in range(10)]
    hub.close_all(CloseCode.RESTARTING, "restarting", closing.TICK_SECONDS * 5)
    settle(reactor)
    ((seconds, tick),) = ticks
    assert seconds == closing.TICK_SECONDS
    left = []
    for _ in range(5):
        reactor.call_soon(tick)
        settle(reactor)
        left.append(sum(each.state is State.OPEN for each in connections))
    assert left == [8, 6, 4, 2, 0]


# Heartbeats


def beat_once_round(hub):
    for _ in range(beats.SLICES):
        hub.reactor.call_soon(hub._beats._beat)
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


def test_each_beat_asks_for_the_counts_of_who_is_alive(hub, connect):
    asked = []
    hub.on_beat = lambda alive: asked.extend(each.id for each in alive)
    connect("1")
    connect("2")
    beat_once_round(hub)
    assert sorted(asked) == ["1", "2"]


def test_beats_are_spread_over_the_interval(hub, connect):
    slots = {connect(str(number))[0].slot for number in range(10)}
    assert len(slots) == 10


# Broadcasts are settled afterwards


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (created(1, "global"), [("global", ["ada", "bob"])]),
        (created(1, "user:ada"), [("user:ada", ["ada"])]),
        (created(1, "user:ada", unread=1), []),
        (sync(1, "global"), []),
    ],
)
def test_after_a_broadcast_the_counts_of_who_is_here_are_asked_for(hub, connect, event, asked):
    seen = []
    hub.on_broadcast = lambda event, users: seen.append((event.audience, users))
    for name, user_id in (("1", "ada"), ("2", "ada"), ("3", "bob")):
        connect(name, user_id=user_id)
    hub.deliver(event)
    settle(hub.reactor)
    assert seen == asked


def test_telling_one_supersedes_what_it_has_not_read(hub, connect):
    connection, client = connect()
    hub.deliver(Event("created", "user:ada", {"notification": item(1, body={"x": "y" * 30_000}), "unread": 1}))
    settle(hub.reactor)
    for number in range(50):
        hub.tell(connection, f"count {number}", "unread")
    hub.tell(connection, None)
    settle(hub.reactor)
    client.read(1)
    assert client.read(1) == ["count 49"]


# Membership


def test_connections_follow_their_users_membership(hub, connect):
    mine, client = connect("1", "global", "user:ada")
    hub.deliver(Event("sync", "user:ada", {"unread": 0, "listen": "group:ops"}))
    wait_until(lambda: hub.listeners.count("group:ops") == 1)
    hub.deliver(created(1, "group:ops"))
    hub.deliver(Event("sync", "user:ada", {"unread": 0, "unlisten": "group:ops"}))
    wait_until(lambda: hub.listeners.count("group:ops") == 0)
    hub.deliver(created(2, "group:ops"))
    hub.deliver(sync(5))
    settle(hub.reactor)
    seen = [json.loads(text) for text in client.read(4)]
    assert [each["event"] for each in seen] == ["pong", "notification", "pong", "pong"]
    assert seen[-1]["data"]["unreadCount"] == 5
    assert mine.audiences == ("global", "user:ada")
