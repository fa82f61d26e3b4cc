"""The SSE stream `/api/notifications/stream`: for EventSource, in a browser or anywhere else (CONTRACT §4)."""

from __future__ import annotations

import json
import secrets
from typing import Any, cast

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from notiway.gateway import tickets
from notiway.live import runtime
from notiway.live.carriers import joining
from notiway.live.carriers.parking import check_server, stay, take_carrier
from notiway.live.carriers.sse import response_head
from notiway.live.connection import Connection
from notiway.live.runtime import Runtime
from notiway.live.wires.sse import SseWire
from notiway.store import inbox
from notiway.store.log import resuming
from notiway.store.log.resuming import Cursor
from notiway.values.clock import DAY_MS, now_ms
from notiway.values.errors import Busy, NoCarrier
from notiway.values.ids import id_floor, id_limit, is_id
from notiway.web import auth
from notiway.web.sockets import handshake, opening, websocket

PATH = "/api/notifications/stream"
EVENTS = "text/event-stream"
MAX_AUDIENCES = 20  # that one address names; no page shows as many live parts
CARRIERS = (("gunicorn.socket", "gunicorn"), ("werkzeug.socket", "werkzeug"))


def register(blueprint: Blueprint) -> None:
    """Add the route to a blueprint that asks for no login itself: a client token will do."""
    blueprint.add_url_rule(PATH, view_func=stream)


class Handled(Response):
    """What the view returns when the hub has the socket, or has had it: nothing more is to be written."""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if "gunicorn.socket" in environ:
            raise StopIteration  # gunicorn then lets the connection be, as it does for flask-sock
        return super().__call__(environ, start_response)


def stream() -> ResponseReturnValue:
    """Open a stream for a user who is signed in, or for the bearer of a client token.

    With `format=html` it carries what a page hears over its WebSocket, for networks that let none through.
    """
    now = runtime.current()
    try:
        now.gate.admit()
    except Busy as busy:
        if EVENTS not in request.headers.get("Accept", ""):
            raise
        return _come_back(busy.retry_after)
    principal = auth.require_principal()
    if request.method == "HEAD":
        return Response(mimetype=EVENTS)
    check_server(now)
    is_page = request.args.get("format") == "html"
    carrier, mode = _carrier()
    handshake.take_connection()
    head = response_head(_cross_origin(now))
    sock, view_stays = take_carrier(carrier, mode)
    connection = opening.join(now, sock, "html stream" if is_page else "sse", principal, head=head)
    go_on = websocket.resume if is_page else resume
    joining.bring_up_to_date(now, connection, lambda: go_on(now, connection, principal.user_id))
    if is_page:
        _subscribe(now, connection)
    stay(connection, view_stays)
    return Handled()


def _subscribe(now: Runtime, connection: Connection) -> None:
    """What a page would ask for over a WebSocket, a stream's address names; a refusal is told as there."""
    for audience in request.args.getlist("audience")[:MAX_AUDIENCES]:
        asked = json.dumps({"action": "subscribe", "audience": audience})
        now.reactor.call_soon(now.inbound.put, connection, asked)


def _come_back(seconds: int) -> Response:
    """A stream that ends at once, and says when to come back: any other status ends an `EventSource` for ever."""
    head = {"Retry-After": str(seconds), "Connection": "close"}
    return Response(f"retry: {seconds * 1000 + secrets.randbelow(1000)}\n\n", mimetype=EVENTS, headers=head)


def _carrier() -> tuple[Any, str]:
    for name, mode in CARRIERS:
        if name in request.environ:
            return request.environ[name], mode
    raise NoCarrier("This server cannot stream; run it with gunicorn")


def resume(now: Runtime, connection: Connection, user_id: str) -> None:
    """Tell a stream the count, and what came after the last id that its request names."""
    wire = cast("SseWire", connection.format.wire)
    last = request.headers.get("Last-Event-ID") or request.args.get("lastEventId") or ""
    inbox.catch_up(user_id)
    newest = inbox.newest_id(user_id) or id_floor(now_ms())
    unread = inbox.unread_count(user_id)
    cursor = _cursor(now, last)
    if cursor is not None:
        # The count has no id: a stream that is cut before what is to come must resume before that.
        first_of_all = [wire.connected(connection.id, unread)]
        now.replaying.resume(connection, cursor, first_of_all, [cursor.but], unread=unread)
        return
    # Never a silent hole: the client is told to load its list, and resumes from here next time.
    first = [wire.reset(newest)] if last else []
    now.hub.release(connection, [*first, wire.connected(connection.id, unread, newest)], [last], unread)


def _cursor(now: Runtime, last: str) -> Cursor | None:
    """Where to go on; None if what came since then may not all be stored: what is older than the retention may be gone.

    And if the id was made by a clock that was wrong: one from the future says nothing about what came when.
    """
    if is_id(last):
        oldest = id_floor(int(now_ms() - now.config.retention_days * DAY_MS))
        return resuming.after(last) if oldest <= last < id_limit() else None
    try:
        return Cursor.from_text(last)
    except ValueError:
        return None


def _cross_origin(now: Runtime) -> dict[str, str]:
    origin = request.headers.get("Origin", "")
    if tickets.PARAMETER in request.args and origin:  # it was checked with the ticket
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    if origin not in now.config.allowed_origins:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Vary": "Origin",
    }
