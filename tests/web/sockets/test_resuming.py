"""Resuming: on every wire what came between the page and the socket is told once."""

import socket

import pytest
from pair import settle

from notiway.values.principal import Principal
from notiway.web import sockets


@pytest.mark.parametrize("route", [sockets.websocket, sockets.sse])
def test_what_was_overtaken_on_its_way_is_told_to_whoever_resumes(app, now, join, notify, monkeypatch, route):
    """A command hands its Event over late: B is heard, the line drops, A was never told."""
    with monkeypatch.context() as relayed:
        relayed.setattr(now.broker, "publish", lambda events: None)
        overtaken = notify("ada", "A")
    heard = notify("ada", "B")
    connection, client = join(Principal("ada"), format="json" if route is sockets.websocket else "sse")
    with app.test_request_context(f"/?since={heard}&lastEventId={heard}"):
        route.resume(now, connection, "ada")
    settle(now.reactor)
    now.reactor.call_soon(connection.sock.shutdown, socket.SHUT_WR)
    raw = b"".join(iter(lambda: client.sock.recv(65_536), b"")).decode(errors="replace")
    assert (raw.count(f'"id":"{overtaken}"'), raw.count(f'"id":"{heard}"')) == (1, 0)
