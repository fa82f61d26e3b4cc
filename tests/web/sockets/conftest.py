"""Sockets without a server: a connection of the application's hub with its client at the other end of a socketpair."""

import socket

import pytest
from pair import Client, settle

from notiway.live import runtime
from notiway.live.carriers import joining
from notiway.values.principal import Principal


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
