"""Fixtures: a hub on a running reactor, and connections to it with their clients."""

from __future__ import annotations

import threading

import pytest
from pair import WAIT_SECONDS, json_format, make_hub, make_pair, settle

from notiway.live import backlog
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


@pytest.fixture
def no_bursts(monkeypatch):
    """A client has stalled as soon as anything waits for it."""
    monkeypatch.setattr(backlog, "STALL_SECONDS", -1.0)
