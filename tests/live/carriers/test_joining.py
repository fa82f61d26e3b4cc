"""Live: joining and subscribing, with a real hub and the client at the other end of a socketpair."""

import json
import re
import socket
import time

import pytest
from clients.producer import envelope
from jinja2 import ChoiceLoader, DictLoader
from pair import settle
from servers import wait_until

from notiway.gateway import client_tokens
from notiway.gateway.envelope import parse
from notiway.gateway.publish import publish_envelopes
from notiway.live import runtime
from notiway.live.carriers import joining
from notiway.live.carriers.replaying import frames_of
from notiway.live.state import State
from notiway.store import inbox, membership
from notiway.store.log import standing
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.close_codes import CloseCode
from notiway.values.errors import Forbidden, NotSupported
from notiway.values.event import Event
from notiway.values.ids import id_floor
from notiway.values.principal import Principal
from notiway.web import sockets
from notiway.web.sockets import renewal

OPS = Audience.group("ops", tenant="acme")


@pytest.fixture
def app(make_app):
    """Without heartbeats, so that a client reads what it is told and nothing else."""
    return make_app(NOTIWAY_HEARTBEAT_SECONDS=3_600, NOTIWAY_USERS="external")


@pytest.fixture
def now(app):
    """The running hub of `app`, inside its context."""
    with app.app_context():
        running = runtime.current()
        running.start()
        yield running


@pytest.fixture
def ada(now, join):
    """A connection that is open, and has been told so."""
    connection, client = join(Principal("ada"))
    now.hub.release(connection, ["hello"])
    assert client.read() == ["hello"]
    return connection, client


def publish(now, number, audience, persisted=True):
    raw = envelope(audience, "order", {"n": number}, persisted, producer="orders") | {"id": f"order-{number}"}
    publish_envelopes(now, [parse(raw, "tests", now_ms())])
    settle(now.reactor)  # else who subscribes right now may still hear it live


def heard(client, count):
    """The numbers of the next notifications."""
    messages = [json.loads(text) for text in client.read(count)]
    return [message["data"]["body"]["n"] for message in messages if message["event"] == "notification"]


def test_it_listens_to_all_itself_and_its_memberships(now, join):
    membership.join("ada", OPS)
    connection, _ = join(Principal("ada"))
    assert set(connection.audiences) == {"global", "user:ada", "group:acme:ops"}


def test_a_tokens_tenant_is_listened_to_and_its_grants_may_be(now, join):
    publish(now, 1, "tenant:acme")
    connection, _ = join(Principal("ada", tenant_id="acme", grants=("group:x",)))
    assert set(connection.audiences) == {"global", "user:ada", "tenant:acme"}
    assert connection.grants == ("group:x",)
    assert inbox.unread_count("ada") == 1


def test_nobody_is_closed_with_4001(join):
    _, client = join(None)
    assert client.read() == [("close", 4001)]


def test_it_may_have_an_id_that_was_agreed_on(join):
    assert join(Principal("ada"), "agreed")[0].id == "agreed"


def test_who_must_say_hello_waits_with_its_own_end(now, join):
    ended = []
    connection, _ = join(Principal("ada", ends_at=99.5), None, (0.0, ended.append))
    assert connection.ends_at == 99.5
    settle(now.reactor)
    now.hub._deadlines._close_due()
    assert ended == [connection]


@pytest.mark.parametrize(("page_shows_it", "told"), [(False, ["notification"]), (True, [])])
@pytest.mark.parametrize("route", [sockets.websocket, sockets.sse])
def test_what_is_committed_before_a_client_resumes_and_published_after_it_is_told_once(
    app, now, join, monkeypatch, route, page_shows_it, told
):
    late = []
    monkeypatch.setattr(now.broker, "publish", late.extend)
    monkeypatch.setattr(type(now), "is_heard", lambda self, audience: True)  # by whoever is just opening
    publish(now, 1, "user:ada")
    connection, client = join(Principal("ada"), format="json" if route is sockets.websocket else "sse")
    since = inbox.newest_id("ada") if page_shows_it else id_floor(now_ms() - 1_000)
    with app.test_request_context(f"/?since={since}&lastEventId={since}"):
        route.resume(now, connection, "ada")
    assert len(late) == 1
    now.hub.deliver(late[0])
    settle(now.reactor)
    now.reactor.call_soon(connection.sock.shutdown, socket.SHUT_WR)
    said = b"".join(iter(lambda: client.sock.recv(65_536), b"")).decode(errors="replace")
    assert re.findall(r'event"?: ?"?(notification)\b', said) == told


def test_a_client_whose_beginning_fails_is_told_to_try_again(now, join):
    connection, client = join(Principal("ada"))

    def fail():
        raise RuntimeError("the database is away")

    with pytest.raises(RuntimeError):
        joining.bring_up_to_date(now, connection, fail)
    assert client.read() == [("close", CloseCode.TRY_AGAIN)]


def test_nothing_is_read_for_a_client_that_was_turned_away(now, join):
    """Else two hundred that come again and again would each cost a page of what they missed."""
    connection, client = join(Principal("ada"))
    now.reactor.call_soon(connection.close, CloseCode.TOO_MANY, "too many connections")
    assert client.read() == [("close", CloseCode.TOO_MANY)]
    read = []
    joining.bring_up_to_date(now, connection, lambda: read.append("a page"))
    assert read == []


def test_a_member_a_grant_and_an_open_group_open_a_subscription(now, ada):
    connection, client = ada
    membership.join("ada", Audience.group("by-membership"))
    connection.grants = ("tenant:by-grant",)
    for audience in (Audience.group("by-membership"), Audience.tenant("by-grant")):
        joining.subscribe(now, connection, audience, "answer")
        assert client.read() == ["answer"]
        assert audience.key in connection.audiences


@pytest.mark.parametrize(
    "audience", [OPS, Audience.tenant("acme"), Audience.group("ops"), Audience.group("ops", tenant="globex")]
)
def test_everything_else_is_forbidden_and_changes_nothing(now, ada, audience):
    connection, _ = ada
    before = connection.audiences
    with pytest.raises(Forbidden):
        joining.subscribe(now, connection, audience)
    settle(now.reactor)
    assert connection.audiences == before
    assert connection.held is None


@pytest.mark.parametrize("audience", [Audience.everyone(), Audience.user("ada"), Audience.connection("c")])
def test_what_comes_by_itself_is_not_supported(now, ada, audience):
    for action in (joining.subscribe, joining.unsubscribe):
        with pytest.raises(NotSupported):
            action(now, ada[0], audience)


def test_subscribing_answers_then_replays_then_goes_on(now, ada):
    connection, client = ada
    connection.grants = (OPS.key,)
    publish(now, 1, OPS.key)
    publish(now, 2, OPS.key, persisted=False)
    publish(now, 3, "group:globex:ops")
    joining.subscribe(now, connection, OPS, "answer")
    assert client.read() == ["answer"]
    publish(now, 4, OPS.key, persisted=False)
    assert heard(client, 3) == [1, 4], "and a count"


@pytest.mark.parametrize("format", ["json", "html", "sse", "signalr"])
def test_an_item_that_a_wire_cannot_show_is_left_out_of_the_replay(now, join, format, monkeypatch, caplog):
    for number in (1, 2, 3):
        publish(now, number, "user:ada")
    connection, _ = join(Principal("ada"), format=format)
    wire = connection.format.wire
    render = wire.render

    def fail_at_two(event):
        if event.data["notification"]["body"]["n"] == 2:
            raise ZeroDivisionError("boom")
        return render(event)

    monkeypatch.setattr(wire, "render", fail_at_two)
    frames = [text for text in frames_of(connection, inbox.feed("ada").items[::-1]) if text]
    assert len(frames) == 2
    assert [("order-1" in text, "order-3" in text) for text in frames] != [(True, True)] * 2
    assert "boom" in caplog.text


def test_a_bad_frame_of_the_host_silences_its_pages_and_no_other_client(app, now, join, caplog):
    own = DictLoader({"notiway/frames/created.html": "{{ 1 / 0 }}"})
    app.jinja_env.loader = ChoiceLoader([own, app.jinja_env.loader])
    clients = {}
    for format in ("html", "json", "sse", "signalr"):
        connection, clients[format] = join(Principal("ada"), format=format)
        now.hub.release(connection, [])
    publish(now, 1, "user:ada")
    for format in ("json", "signalr"):
        while 'type":6}' in (said := clients[format].read()[0]):
            pass  # a ping
        assert '"n":1' in said
    assert b'"n":1' in clients["sse"].sock.recv(65_536)
    assert clients["html"].hears_nothing()
    assert "the html wire cannot show created" in caplog.text
    now.hub.deliver(Event("sync", "user:ada", {"unread": 7}))
    assert 'data-count="7"' in clients["html"].read()[0]


def test_subscribing_again_replays_nothing(now, ada):
    connection, client = ada
    connection.grants = (OPS.key,)
    publish(now, 1, OPS.key)
    joining.subscribe(now, connection, OPS)
    assert heard(client, 2) == [1]
    joining.subscribe(now, connection, OPS, "answer")
    assert client.read() == ["answer"]


def test_unsubscribing_ends_it(now, ada):
    connection, client = ada
    connection.grants = (OPS.key,)
    joining.subscribe(now, connection, OPS)
    joining.unsubscribe(now, connection, OPS, "answer")
    assert client.read() == ["answer"]
    publish(now, 1, OPS.key, persisted=False)
    publish(now, 2, "user:ada", persisted=False)
    assert heard(client, 1) == [2]


FAULTS = {
    "what stands is pulled": "notiway.store.log.standing.pull",
    "what stands is read": "notiway.store.log.standing.items",
    "the unread are counted": "notiway.store.inbox.arrive",
}


@pytest.mark.parametrize("place", FAULTS.values(), ids=FAULTS)
def test_a_fault_while_subscribing_leaves_nothing_behind_and_the_next_try_is_a_first_one(now, ada, monkeypatch, place):
    connection, client = ada
    connection.grants = (OPS.key,)
    before = connection.audiences
    publish(now, 1, OPS.key)

    def fail(*_, **__):
        raise RuntimeError("the database is away")

    with monkeypatch.context() as broken:
        broken.setattr(place, fail)
        with pytest.raises(RuntimeError):
            joining.subscribe(now, connection, OPS, "answer")
        settle(now.reactor)
    assert connection.held is None
    assert connection.state is State.OPEN
    assert connection.audiences == before
    joining.subscribe(now, connection, OPS, "second answer")
    said = client.read(2)
    assert said[0] == "second answer"
    assert json.loads(said[1])["data"]["body"]["n"] == 1


def test_a_fault_while_an_automatic_audience_is_subscribed_to_takes_nothing_away(now, join, monkeypatch):
    membership.join("ada", OPS)
    connection, _ = join(Principal("ada"))
    now.hub.release(connection, [])
    before = connection.audiences

    def fail(*_, **__):
        raise RuntimeError("the reactor is gone")

    monkeypatch.setattr(now.hub, "subscribe", fail)
    with pytest.raises(RuntimeError):
        joining.subscribe(now, connection, OPS)
    settle(now.reactor)
    assert connection.held is None
    assert connection.audiences == before


def test_a_client_that_unsubscribes_and_subscribes_without_waiting_hears_the_audience(now, ada):
    """A page that leaves one view and mounts another does both in the same moment."""
    membership.join("ada", OPS)
    connection, client = ada
    joining.subscribe(now, connection, OPS, "first")
    for lap in range(20):
        joining.unsubscribe(now, connection, OPS)
        joining.subscribe(now, connection, OPS, f"again {lap}")
    assert OPS.key in now.hub.audiences_of(connection)
    publish(now, 1, OPS.key, persisted=False)
    assert client.read(21) == ["first", *(f"again {lap}" for lap in range(20))]
    assert heard(client, 1) == [1]


def test_of_many_subscriptions_in_a_row_only_the_first_replays_everything(now, ada, monkeypatch):
    """62 KB of such messages kept a server busy for 41 s."""
    membership.join("ada", OPS)
    for number in range(5):
        publish(now, number, OPS.key)
    at = now_ms()
    wait_until(lambda: now_ms() > at)
    connection, client = ada
    asked = []
    items = standing.items
    monkeypatch.setattr(standing, "items", lambda *args, **options: (asked.append(options), items(*args, **options))[1])
    joining.subscribe(now, connection, OPS, "first")
    assert client.read(1) == ["first"]
    assert heard(client, 5) == [0, 1, 2, 3, 4]
    for _ in range(10):
        joining.subscribe(now, connection, OPS)
    assert len(asked) == 1, "it listens already"
    joining.unsubscribe(now, connection, OPS)
    publish(now, 5, OPS.key)
    monkeypatch.setattr(joining, "OVERLAP_MS", 0)
    joining.subscribe(now, connection, OPS)
    assert [bool(each["after"]) for each in asked] == [False, True]
    told = []
    while 5 not in told:
        told += heard(client, 1)
    assert 0 not in told, "what it missed meanwhile, and no more"


def test_a_token_that_is_renewed_at_once_takes_what_was_just_subscribed_to_into_account(now, join):
    connection, _ = join(Principal("ada", grants=(OPS.key,)))
    now.hub.release(connection, [])
    joining.subscribe(now, connection, OPS)
    renewal.renew(now, connection, client_tokens.mint(now.token_secret, client_tokens.Claims("ada", time.time() + 60)))
    assert OPS.key not in now.hub.audiences_of(connection)


def test_bytes_before_all_else_never_wait_for_a_client_that_reads_nothing(now):
    ours, theirs = socket.socketpair()
    with theirs:
        head = b"x" * 5_000_000
        connection = joining.join(now, ours, "sse", Principal("ada"), head=head)
        now.hub.release(connection, ["hello"])
        received = b""
        theirs.settimeout(10)
        while len(received) < len(head) + len("hello"):
            received += theirs.recv(1_000_000)
        assert received == head + b"hello"
        now.reactor.call_soon(connection.lost)
        settle(now.reactor)
