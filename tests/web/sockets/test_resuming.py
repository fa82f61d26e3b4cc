"""Resuming: on every wire what came between the page and the socket is told once."""

import re
import socket

import pytest
from clients.producer import envelope
from pair import settle

from notiway.gateway.envelope import parse
from notiway.gateway.publish import publish_envelopes
from notiway.store import inbox
from notiway.values.clock import now_ms
from notiway.values.ids import id_floor
from notiway.values.principal import Principal
from notiway.web import sockets


@pytest.mark.parametrize(("page_shows_it", "told"), [(False, ["notification"]), (True, [])])
@pytest.mark.parametrize("route", [sockets.websocket, sockets.sse])
def test_what_is_committed_before_a_client_resumes_and_published_after_it_is_told_once(
    app, now, join, monkeypatch, route, page_shows_it, told
):
    late = []
    monkeypatch.setattr(now.broker, "publish", late.append)
    publish(now, 1, "user:ada")
    connection, client = join(Principal("ada"), format="json" if route is sockets.websocket else "sse")
    since = inbox.newest_id("ada") if page_shows_it else id_floor(now_ms() - 1_000)
    with app.test_request_context(f"/?since={since}&lastEventId={since}"):
        route._resume(now, connection, "ada")
    assert len(late) == 1
    now.hub.deliver(late[0])
    settle(now.reactor)
    now.reactor.call_soon(connection.sock.shutdown, socket.SHUT_WR)
    said = b"".join(iter(lambda: client.sock.recv(65_536), b"")).decode(errors="replace")
    assert re.findall(r'event"?: ?"?(notification)\b', said) == told


def publish(now, number, audience, persisted=True):
    raw = envelope(audience, "order", {"n": number}, persisted, producer="orders") | {"id": f"order-{number}"}
    publish_envelopes(now, [parse(raw, "tests", now_ms())])
    settle(now.reactor)  # else who subscribes right now may still hear it live


@pytest.mark.parametrize("route", [sockets.websocket, sockets.sse])
def test_what_was_overtaken_on_its_way_is_told_to_whoever_resumes(app, now, join, notify, monkeypatch, route):
    """A command hands its Event over late: B is heard, the line drops, A was never told."""
    with monkeypatch.context() as relayed:
        relayed.setattr(now.broker, "publish", lambda event: None)
        overtaken = notify("ada", "A")
    heard = notify("ada", "B")
    connection, client = join(Principal("ada"), format="json" if route is sockets.websocket else "sse")
    with app.test_request_context(f"/?since={heard}&lastEventId={heard}"):
        route._resume(now, connection, "ada")
    settle(now.reactor)
    now.reactor.call_soon(connection.sock.shutdown, socket.SHUT_WR)
    raw = b"".join(iter(lambda: client.sock.recv(65_536), b"")).decode(errors="replace")
    assert (raw.count(f'"id":"{overtaken}"'), raw.count(f'"id":"{heard}"')) == (1, 0)
