"""The WebSocket `/ws/notifications`: HTML for htmx, JSON for everybody else (CONTRACT §4)."""

from __future__ import annotations

import base64
import secrets
import threading

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from flask_sock import Sock

from notiway import auth, inbox, members, runtime
from notiway.connection import Connection
from notiway.database import db
from notiway.errors import WrongInput
from notiway.event import Event
from notiway.ids import id_floor, is_id
from notiway.runtime import Runtime
from notiway.sessions import BACKGROUND_FLAG
from notiway.websocket import UPGRADE_FLAG, Upgrade, take_socket

VERSION = "13"  # RFC 6455 §4.1; §4.4: another one is told this
KEY_BYTES = 16  # RFC 6455 §4.2.1
TRY_AGAIN = 1011  # RFC 6455 §7.4.1: the server met a fault; htmx's client reconnects on it
NOTHING_YET = id_floor(0)  # `?since=` of a page that showed nothing: all there is came after it
RESUME_LIMIT = 1_000  # items sent at once after `?since=`; the client then reconnects for the rest
FORMATS = ("json", "html")


def register(blueprint: Blueprint) -> None:
    """Add the route; `blueprint` must not ask for a login itself, for a socket is told why it is closed."""
    blueprint.before_request(_guard)
    Sock().route("/ws/notifications", bp=blueprint, endpoint="socket")(_open)


def _guard() -> ResponseReturnValue | None:
    if request.endpoint != f"{request.blueprint}.socket":
        return None
    request.environ[BACKGROUND_FLAG] = True
    if request.headers.get("Sec-WebSocket-Version") != VERSION:
        wrong = WrongInput(f"This is a WebSocket of version {VERSION}")
        return jsonify(wrong.as_dict()), 426, {"Sec-WebSocket-Version": VERSION, "Upgrade": "websocket"}
    if not _is_key(request.headers.get("Sec-WebSocket-Key", "")):
        raise WrongInput("Sec-WebSocket-Key must be 16 bytes in base64")
    auth.check_origin()
    if request.args.get("format", "json") not in FORMATS:
        raise WrongInput(f"format must be one of {', '.join(FORMATS)}")
    request.environ[UPGRADE_FLAG] = True
    return None


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except ValueError:
        return False


def _open(upgrade: Upgrade) -> None:
    now = runtime.current()
    user_id = auth.current_user_id()
    sock, view_stays = take_socket(upgrade)
    wire = now.formats[request.args.get("format", "json")]
    connection = Connection(sock, wire, secrets.token_urlsafe(12), now.config.queue_limit, user_id)
    gone = threading.Event() if view_stays else None
    if gone is not None:
        connection.on_gone = gone.set
    if user_id is None:
        now.hub.open(connection, ())
    else:
        connection.session = auth.session_key()
        # First registered, then read: what happens in between is held back, not missed.
        now.hub.open(connection, [*members.listens_to(user_id)])
        try:
            _bring_up_to_date(now, connection, user_id)
        except Exception:
            now.reactor.call_soon(connection.close, TRY_AGAIN, "try again")
            raise
    if gone is not None:
        db.close()  # a connection that is held by its thread must not hold the database
        gone.wait()


def _bring_up_to_date(now: Runtime, connection: Connection, user_id: str) -> None:
    wire = connection.format.wire
    after = request.args.get("since") or (NOTHING_YET if "since" in request.args else "")
    items = inbox.since(user_id, after, RESUME_LIMIT) if is_id(after) else []
    missed = [wire.render(Event("created", item.audience, {"notification": item.as_dict()})) for item in items]
    unread = inbox.arrive(user_id)
    more = len(items) == RESUME_LIMIT
    now.hub.release(
        connection, [wire.connected(connection.id, unread), *missed], [item.id for item in items], more=more
    )
