"""Live clients without a server: on a socketpair with a running hub, or while the database is in trouble."""

from __future__ import annotations

import base64
import socket
import sqlite3
import time
from contextlib import contextmanager
from types import SimpleNamespace

import psycopg
import pytest
from flask import request
from joined import Joiner
from pair import Client, settle

from notiway.gateway import client_tokens
from notiway.gateway.client_tokens import Claims
from notiway.live import runtime
from notiway.live.carriers import joining
from notiway.live.carriers.websocket import UPGRADE_FLAG
from notiway.store.engine import turns
from notiway.values.errors import NotiwayError
from notiway.values.principal import Principal
from notiway.verbs.send import send_notification

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
}


@pytest.fixture
def join(now):
    """Opens connections: `join(Principal("ada"))`; the connection and its client."""
    joiner = Joiner(now)
    yield joiner
    joiner.close()


@pytest.fixture
def ada(now, join):
    """A JSON connection that is open, and has been told so."""
    connection, client = join(Principal("ada"))
    now.hub.release(connection, ["hello"])
    assert client.read() == ["hello"]
    return connection, client


@pytest.fixture
def token(app):
    """Makes client tokens: `token("ada", tenant_id="acme")`."""

    def make(user_id, seconds=60, **more):
        secret = app.extensions[runtime.KEY].token_secret
        return client_tokens.mint(secret, Claims(user_id, float(int(time.time()) + seconds), **more))

    return make


@pytest.fixture
def notify(now):
    """Stores and tells notifications: `notify("ada", "Hi")`; their ids. Any user exists here."""
    now.unknown_users = lambda user_ids: set()

    def send(to, title="Hi", **options):
        sent = send_notification(to, title, **options)
        settle(now.reactor)
        return sent.id

    return send


@pytest.fixture
def knock(app):
    """Asks for an upgrade: `knock("/hub", **headers)`; the status of a refusal, or None, and the WSGI environ."""

    def ask(path, **headers):
        with app.test_request_context(path, headers=UPGRADE | headers):
            try:
                refused = app.preprocess_request()
            except NotiwayError as error:
                refused = app.handle_user_exception(error)
            status = None if refused is None else app.make_response(refused).status_code
            assert (UPGRADE_FLAG in request.environ) is (status is None)
            return status, request.environ

    return ask


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
            id="c1",
            user_id=user.id,
            format=running.formats[name],
            stage=stage,
            audiences=audiences,
            grants=(),
            since=None,
        )

    return make


@contextmanager
def lock_tables(database):
    """What a migration in another process does, and a database that waits for it but a moment."""
    name, given = database.database, database.connect_params
    database.close_all()
    with psycopg.connect(dbname=name, **given) as other:
        other.execute("LOCK TABLE notiway_notification, notiway_inbox_item, notiway_inbox_cursor")
        database.connect_params = given | {"options": "-c lock_timeout=20"}
        yield
    database.close_all()
    database.connect_params = given


@pytest.fixture
def locked(running):
    if running.database.param == "%s":
        with lock_tables(running.database):
            yield
        return
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
    return make_app(NOTIWAY_HEARTBEAT_SECONDS=3_600, NOTIWAY_USERS="external")


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
