"""Fixtures: a hub on a running reactor, and connections to it with their clients."""

from __future__ import annotations

import pytest
from pair import WAIT_SECONDS, json_format, make_hub, make_pair, settle

from notiway.live.reactor import Reactor


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
