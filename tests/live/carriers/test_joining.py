"""Live: joining and subscribing, with a real hub and the client at the other end of a socketpair."""

import json

import pytest
from clients.producer import envelope
from joined import Joiner
from pair import settle

from notiway.gateway.envelope import parse
from notiway.gateway.publish import publish_envelopes
from notiway.live import runtime
from notiway.live.carriers import joining
from notiway.live.connection import State
from notiway.store import inbox, membership
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.close_codes import CloseCode
from notiway.values.errors import Forbidden, NotSupported
from notiway.values.principal import Principal

OPS = Audience.group("ops", tenant="acme")


@pytest.fixture
def app(make_app):
    """Without heartbeats, so that a client reads what it is told and nothing else."""
    return make_app(NOTIWAY_HEARTBEAT_SECONDS=3_600)


@pytest.fixture
def now(app):
    """The running hub of `app`, inside its context."""
    with app.app_context():
        running = runtime.current()
        running.start()
        yield running


@pytest.fixture
def join(now):
    """Opens connections: `join(Principal("ada"))`; the connection and its client."""
    joiner = Joiner(now)
    yield joiner
    joiner.close()


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
    assert connection.stage == "99.5"
    settle(now.reactor)
    now.hub._deadlines._close_due()
    assert ended == [connection]


def test_a_client_whose_beginning_fails_is_told_to_try_again(now, join):
    connection, client = join(Principal("ada"))

    def fail():
        raise RuntimeError("the database is away")

    with pytest.raises(RuntimeError):
        joining.bring_up_to_date(now, connection, fail)
    assert client.read() == [("close", CloseCode.TRY_AGAIN)]


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


def test_a_fault_while_subscribing_leaves_nothing_held(now, ada, monkeypatch):
    connection, _ = ada
    connection.grants = (OPS.key,)

    def fail(*_):
        raise RuntimeError("the database is away")

    monkeypatch.setattr("notiway.store.standing.pull", fail)
    with pytest.raises(RuntimeError):
        joining.subscribe(now, connection, OPS)
    settle(now.reactor)
    assert connection.held is None
    assert connection.state is State.OPEN
