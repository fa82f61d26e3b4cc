"""Leavers: the news of a leaving that come when the user has long joined again leave nobody deaf."""

import logging
from types import SimpleNamespace

import pytest
from pair import settle
from servers import wait_until

from notiway.live import runtime
from notiway.live.carriers import leavers
from notiway.store import membership as members
from notiway.values.audience import Audience
from notiway.values.close_codes import CloseCode
from notiway.values.principal import Principal
from notiway.verbs import membership
from notiway.verbs.send import send_notification

OPS = Audience.group("ops")


@pytest.fixture
def now(make_app, monkeypatch):
    """A running hub without heartbeats, which looks soon, inside its application's context."""
    monkeypatch.setattr(leavers, "LOOK_SECONDS", 0.02)
    app = make_app(NOTIWAY_HEARTBEAT_SECONDS=3_600, NOTIWAY_USERS="external")
    with app.app_context():
        running = runtime.current()
        running.start()
        yield running
        running.badges._pool.shutdown(wait=True)  # nobody reads the database when it is closed


@pytest.fixture
def under_way(now, monkeypatch):
    """The Events that the broker has not delivered yet, by kind."""
    waiting = {}

    def publish(events):
        for event in events:
            waiting.setdefault(event.kind, []).append(event)

    monkeypatch.setattr(now.broker, "publish", publish)
    return waiting


@pytest.fixture
def ada(now, join):
    """Makes a device of ada's, and its client: `ada("ops")` has a token for that group."""

    def make(*grants, **options):
        principal = Principal("ada", grants=tuple(Audience.group(each).key for each in grants))
        connection, client = join(principal, **options)
        if not options:
            now.hub.release(connection, [])
        settle(now.reactor)
        return connection, client

    return make


@pytest.fixture
def arrive(now):
    """An Event comes from the broker."""

    def come(event):
        now.badges.deliver(event)
        settle(now.reactor)

    return come


@pytest.fixture
def looked(now, monkeypatch):
    """Waits until the database was asked who has left, and the answer has taken effect."""
    asked = []
    ask = now.badges.leavers._ask

    def note(*args):
        ask(*args)
        asked.append(args)

    monkeypatch.setattr(now.badges.leavers, "_ask", note)

    def wait():
        wait_until(lambda: asked)
        settle(now.reactor)

    return wait


def test_a_device_that_hears_late_that_its_user_left_comes_again(now, ada, under_way, arrive):
    """The user is a member again: without that the device would hear nothing of the group any more."""
    membership.join("ada", OPS)
    connection, client = ada()
    membership.leave("ada", OPS)
    membership.join("ada", OPS)
    arrive(under_way["joined"][1])
    assert OPS.key in connection.audiences
    arrive(under_way["left"][0])
    assert client.read_all()[-1] == ("close", CloseCode.TRY_AGAIN)


def test_whoever_has_left_hears_nothing_from_then_on(now, ada, under_way, arrive, looked):
    membership.join("ada", OPS)
    connection, client = ada()
    membership.leave("ada", OPS)
    arrive(under_way["left"][0])
    assert OPS.key not in connection.audiences, "before the database has answered"
    looked()
    assert OPS.key not in connection.audiences
    now.hub.tell(connection, '{"event":"end"}')
    assert client.read(2)[-1] == '{"event":"end"}'


def test_whoever_leaves_and_joins_stays_connected(now, ada, under_way, arrive, monkeypatch):
    monkeypatch.setattr(now.badges.leavers, "_ask", lambda *_: pytest.fail("it listens again"))
    membership.join("ada", OPS)
    connection, client = ada()
    membership.leave("ada", OPS)
    membership.join("ada", OPS)
    for event in (under_way["left"][0], under_way["joined"][1]):
        now.badges.deliver(event)
    settle(now.reactor)
    wait_until(lambda: not len(now.badges.leavers))
    assert OPS.key in connection.audiences
    now.hub.tell(connection, '{"event":"end"}')
    assert client.read(3)[-1] == '{"event":"end"}'


def test_a_token_that_allows_a_group_without_membership_brings_its_device_back(now, ada, under_way, arrive):
    membership.join("ada", OPS)
    connection, client = ada("ops")
    membership.leave("ada", OPS)
    arrive(under_way["left"][0])
    assert OPS.key not in connection.audiences
    assert client.read_all()[-1] == ("close", CloseCode.TRY_AGAIN)


def test_a_signalr_client_that_has_not_said_hello_yet_listens_again(now, ada, under_way, arrive, looked):
    membership.join("ada", OPS)
    connection, client = ada(format="signalr")
    membership.leave("ada", OPS)
    membership.join("ada", OPS)
    arrive(under_way["left"][0])
    looked()
    assert OPS.key in connection.audiences
    client.send('{"protocol":"json","version":1}\x1e')
    assert client.read() == ["{}\x1e"]


def test_what_listens_again_is_heard_from_the_broker_before(now, ada, under_way, arrive, looked):
    membership.join("ada", OPS)
    connection, _ = ada(format="signalr")
    heard = []
    listen = SimpleNamespace(listen=lambda audiences: heard.append(audiences) or False, unlisten=lambda _: None)
    now.hub.hearing.ask_of(listen)
    membership.leave("ada", OPS)
    membership.join("ada", OPS)
    arrive(under_way["left"][0])
    looked()
    assert heard == [[OPS.key]]
    assert OPS.key in connection.audiences
    assert not now.hub.hearing._pins


def test_a_database_that_does_not_answer_is_asked_again(now, ada, under_way, arrive, monkeypatch, caplog):
    membership.join("ada", OPS)
    _, client = ada()
    membership.leave("ada", OPS)
    membership.join("ada", OPS)
    answers = iter([ZeroDivisionError])
    among = members.members_among

    def fail_once(*args):
        for error in answers:
            raise error
        return among(*args)

    monkeypatch.setattr(members, "members_among", fail_once)
    with caplog.at_level(logging.ERROR):
        arrive(under_way["left"][0])
        assert client.read_all()[-1] == ("close", CloseCode.TRY_AGAIN)
    assert "is asked again" in caplog.text


def test_what_a_device_has_perhaps_heard_is_not_told_again(now, ada, under_way, arrive):
    """It listened until the news of the leaving came, which were late: it comes again, and resumes."""
    membership.join("ada", OPS)
    _, client = ada()
    membership.leave("ada", OPS)
    membership.join("ada", OPS)
    send_notification(OPS, "Heard")
    for event in (under_way["created"][0], under_way["left"][0], under_way["joined"][1]):
        now.badges.deliver(event)
    *texts, end = client.read_all()
    assert sum("Heard" in text for text in texts) == 1
    assert end == ("close", CloseCode.TRY_AGAIN)
