"""Fixtures: an application whose hub runs without heartbeats, and clients that have joined it."""

from __future__ import annotations

import base64
import time

import pytest
from flask import request
from joined import Joiner
from pair import settle

from notiway.gateway import client_tokens
from notiway.gateway.client_tokens import Claims
from notiway.live import runtime
from notiway.live.carriers.websocket import UPGRADE_FLAG
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
