"""Live clients without a server: on a socketpair with a running hub, or while the database is in trouble."""

import socket
import sqlite3
from types import SimpleNamespace

import pytest
from pair import Client, settle

from notiway.live import runtime
from notiway.live.carriers import joining
from notiway.store.engine import turns
from notiway.values.principal import Principal


@pytest.fixture
def running(app, monkeypatch):
    """The application's runtime; `told` on it is what clients heard, `closed` how the hub protocol refused them."""
    monkeypatch.setattr(turns, "LOCK_WAIT_SECONDS", 0.02)
    found = app.extensions[runtime.KEY]
    found.told, found.closed = [], []
    monkeypatch.setattr(found.hub, "tell", lambda connection, text, key=None: found.told.append(text))
    monkeypatch.setattr(found.hub, "release", lambda connection, first, *args, **options: found.told.extend(first))
    monkeypatch.setattr(found.reactor, "call_soon", lambda call, *args: found.closed.append((call.__name__, *args[1:])))
    return found


@pytest.fixture
def connection(running, user):
    """Makes a connection of `user`: `connection("json")`."""

    def make(name, stage=""):
        audiences = ("global", f"user:{user.id}")
        return SimpleNamespace(
            id="c1", user_id=user.id, format=running.formats[name], stage=stage, audiences=audiences, grants=()
        )

    return make


@pytest.fixture
def locked(running):
    other = sqlite3.connect(running.database.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


@pytest.fixture
def exhausted(running):
    database = running.database
    database.close()
    database._wait_timeout = 0.01
    taken = [database._connect() for _ in range(database._max_connections - len(database._in_use))]
    yield
    for connection in taken:
        database._close(connection)


@pytest.fixture(params=["locked", "exhausted"])
def trouble(request, send, user):
    """The id of an unread item, while the database is in trouble."""
    sent = send(user).id
    request.getfixturevalue(request.param)
    return sent


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
def open_socket(now):
    """Opens connections that are up to date: `connection, client = open_socket("ada", "json")`."""
    opened = []

    def open_one(user_id="ada", format="json"):
        ours, theirs = socket.socketpair()
        connection = joining.join(now, ours, format, Principal(user_id))
        now.hub.release(connection, [])
        opened.append((connection, Client(theirs)))
        return opened[-1]

    yield open_one
    for connection, client in opened:
        now.reactor.call_soon(connection.lost)
        settle(now.reactor)
        client.close()
