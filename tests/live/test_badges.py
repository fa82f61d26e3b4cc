"""Badges: counts with every heartbeat, for those who are connected here."""

import json
import socket
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from joined import Joiner
from pair import Client, created, settle

from notiway.live import badges as badges_module
from notiway.live import runtime
from notiway.live import settling as settling_module
from notiway.live.badges import Badges
from notiway.live.carriers.hub_protocol import SignalRTransport
from notiway.live.connection import Connection
from notiway.live.delivery.format import Format
from notiway.live.heartbeat import SLICES
from notiway.live.wires.signalr import SignalRWire
from notiway.store import inbox, membership
from notiway.store.database import db
from notiway.values.audience import Audience
from notiway.values.principal import Principal
from notiway.verbs.send import send_notification


@pytest.fixture
def run():
    """Work that was to be done off the reactor, written down."""
    return []


@pytest.fixture
def badges(reactor, hub, run):
    return Badges(reactor, hub, run.append)


def test_each_beat_asks_for_the_counts_of_who_is_alive(hub, badges, connect, run, monkeypatch):
    connect("1")
    connect("2")
    asked = []
    monkeypatch.setattr(badges, "tell_counts", lambda alive: asked.extend(each.id for each in alive))
    for _ in range(len(hub.heartbeat._slices)):
        hub.reactor.call_soon(badges.beat)
    settle(hub.reactor)
    for work in run:
        work()
    assert sorted(asked) == ["1", "2"]


@pytest.fixture
def running(make_app):
    """The hub of an application, inside its context; nothing beats by itself."""
    app = make_app(NOTIWAY_HEARTBEAT_SECONDS=3_600)
    with app.app_context():
        now = runtime.current()
        now.start()
        yield now


@pytest.fixture
def enter(running):
    """Opens a user's connection: `enter("ada")`; the connection and its client."""
    joiner = Joiner(running)

    def open_one(user_id):
        connection, client = joiner(Principal(user_id))
        running.hub.release(connection, [])
        return connection, client

    yield open_one
    joiner.close()


def unread(client):
    message = json.loads(client.read()[0])
    assert message["event"] == "pong", message
    return message["data"]["unreadCount"]


@pytest.mark.parametrize("audience", [Audience.everyone(), Audience.group("ops")], ids=lambda each: each.key)
def test_a_broadcast_whose_event_was_lost_is_in_the_next_beats_count(running, enter, monkeypatch, audience):
    membership.join("ada", Audience.group("ops"))
    ada, told = enter("ada")
    bob, also_told = enter("bob")
    monkeypatch.setattr(running.broker, "publish", lambda events: None)
    send_notification(audience, "Nobody heard of this")
    running.badges.tell_counts([ada, bob])
    assert told.read() == also_told.read() == ["ping"]
    assert (unread(told), unread(also_told)) == (1, 1 if audience.key == "global" else 0)
    assert len(inbox.feed("ada").items) == 1


def test_a_ping_and_a_count_go_out_in_one_write(running, enter):
    ada, told = enter("ada")
    settle(running.reactor)
    writes, send = [], ada.send
    ada.send = lambda data: (writes.append(data), send(data))[1]
    running.badges.tell_counts([ada])
    settle(running.reactor)
    assert len(writes) == 1
    assert (told.read(), unread(told)) == (["ping"], 0)


def test_without_counts_everybody_is_pinged_all_the_same(running, enter, monkeypatch):
    ada, told = enter("ada")

    def fail(users):
        raise ValueError("deliberate")

    monkeypatch.setattr(inbox, "unread_counts", fail)
    with pytest.raises(ValueError, match="deliberate"):
        running.badges._count([ada])
    assert told.read() == ["ping"]


def test_a_beat_asks_once_for_all_counts_and_writes_for_nobody(running, enter, monkeypatch):
    users = [f"user {number}" for number in range(20)]
    alive = [enter(user_id)[0] for user_id in users]
    for user_id in users:
        inbox.catch_up(user_id)
    statements = []
    execute = db.obj.execute_sql
    monkeypatch.setattr(db.obj, "execute_sql", lambda sql, *args: (statements.append(sql), execute(sql, *args))[1])
    running.badges.tell_counts(alive)
    assert [sql.split()[0] for sql in statements] == ["SELECT"]


def signalr_client():
    sock, theirs = socket.socketpair()
    spoken = Format(SignalRWire(), SignalRTransport(lambda connection, text: None, 32 * 1024))
    return Connection(sock, spoken, "signalr", 64 * 1024, "bob"), Client(theirs)


def test_nothing_is_counted_for_clients_that_count_for_themselves(hub, badges, connect, run, monkeypatch):
    connect("1", user_id="ada")
    connection, client = signalr_client()
    hub.open(connection, ("global", "user:bob"))
    hub.release(connection, [])
    settle(hub.reactor)
    counted = []
    monkeypatch.setattr(inbox, "unread_counts", lambda users: counted.append(list(users)) or {})
    for module in (badges_module, settling_module):
        monkeypatch.setattr(module, "db", SimpleNamespace(connection_context=nullcontext))
    badges.deliver(created(1, "global", persisted=True))
    for _ in range(SLICES):
        hub.reactor.call_soon(badges.beat)
    settle(hub.reactor)
    for work in run:
        work()
    assert set(map(tuple, counted)) == {("ada",)}
    hub.reactor.call_soon(connection.lost)
    settle(hub.reactor)
    client.close()
