"""The WebSocket `/ws/notifications`: HTML for htmx, JSON for everybody else (CONTRACT §4)."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_sock import Sock

from notiway.live import runtime
from notiway.live.carriers import joining
from notiway.live.carriers.parking import stay, take_socket
from notiway.live.carriers.websocket import UPGRADE_FLAG, Upgrade
from notiway.live.connection import Connection
from notiway.live.runtime import Runtime
from notiway.live.wires.html import HtmlWire
from notiway.store import inbox
from notiway.store.log import resuming
from notiway.store.log.resuming import Cursor
from notiway.values.errors import Unauthorized, WrongInput
from notiway.web import auth
from notiway.web.sessions import LIVE
from notiway.web.sockets import handshake, opening

FORMATS = ("json", "html")
ENDPOINT = f"{LIVE}.socket"


def register(blueprint: Blueprint) -> None:
    """Add the route; `blueprint` must not ask for a login itself, for a socket is told why it is closed."""
    blueprint.before_request(_guard)
    Sock().route("/ws/notifications", bp=blueprint, endpoint="socket")(_open)


def _guard() -> ResponseReturnValue | None:
    if request.endpoint != ENDPOINT:
        return None
    if (refusal := handshake.refusal(runtime.current())) is not None:
        return refusal
    if request.args.get("format", "json") not in FORMATS:
        raise WrongInput(f"format must be one of {', '.join(FORMATS)}")
    runtime.current().gate.admit()
    try:
        principal = auth.principal()
    except Unauthorized:
        principal = None  # a browser cannot read an HTTP status here, but it can read close code 4001
    if principal is not None:
        handshake.take_connection()
    environ = request.environ
    environ[handshake.VISITOR] = principal
    environ[UPGRADE_FLAG] = True
    return None


def _open(upgrade: Upgrade) -> None:
    now = runtime.current()
    principal = request.environ[handshake.VISITOR]
    sock, view_stays = take_socket(upgrade)
    connection = opening.join(now, sock, request.args.get("format", "json"), principal)
    if principal is not None:
        joining.bring_up_to_date(now, connection, lambda: resume(now, connection, principal.user_id))
    stay(connection, view_stays)


def resume(now: Runtime, connection: Connection, user_id: str) -> None:
    """Greet a client, and send what came since the place that its request names."""
    cursor = _cursor()
    unread = inbox.arrive(user_id)
    wire = connection.format.wire
    if isinstance(wire, HtmlWire) and "changes" in request.args:
        # What was read or deleted between the page and this line had no Event that could reach it.
        changed = request.args["changes"] != str(inbox.changes(user_id))
        connected = wire.connected(connection.id, unread, changed)
    else:
        connected = wire.connected(connection.id, unread)
    if cursor is None:
        now.hub.release(connection, [connected], unread=unread)
    else:
        now.replaying.resume(connection, cursor, [connected], [cursor.but], unread=unread)


def _cursor() -> Cursor | None:
    """From where the client wants what it missed; None if it does not say so, or not so that it can be understood."""
    try:
        return resuming.since(request.args["since"]) if "since" in request.args else None
    except ValueError:
        return None
