"""The SignalR hub `/hub`: negotiation and the WebSocket (SignalR TransportProtocols specification)."""

from __future__ import annotations

import hashlib
import secrets
import time

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from flask_sock import Sock
from itsdangerous import BadSignature, URLSafeTimedSerializer

from notiway.live import runtime
from notiway.live.carriers import hub_protocol as signalr
from notiway.live.carriers import joining as live
from notiway.live.carriers.websocket import UPGRADE_FLAG, Upgrade, take_socket
from notiway.store.database import db
from notiway.store.tables import SpentToken
from notiway.values.errors import NotFound, NotiwayError
from notiway.web import auth
from notiway.web.auth import Principal
from notiway.web.sessions import BACKGROUND_FLAG
from notiway.web.sockets import handshake

TOKEN_SECONDS = 30  # between negotiating and connecting
TOKEN_SALT = "notiway.signalr"  # noqa: S105 - separates these signatures from others


class Restarting(NotiwayError):
    """This process takes no new connections. The npm client of today dies of a connection that is closed at once."""

    code = "Restarting"
    status = 503


def register(blueprint: Blueprint) -> None:
    """Add `/hub` and `/hub/negotiate`."""
    blueprint.before_request(_guard)
    blueprint.add_url_rule("/hub/negotiate", "negotiate", negotiate, methods=["POST"])
    Sock().route("/hub", bp=blueprint, endpoint="hub")(_open)


def negotiate() -> ResponseReturnValue:
    """Say which transport there is, and give a token that opens one connection."""
    principal = auth.require_principal()
    request.environ[BACKGROUND_FLAG] = True
    _refuse_while_draining()
    transports = [{"transport": "WebSockets", "transferFormats": ["Text"]}]
    # Producers reach one tab by its connection's id, so the client must know it from here on.
    connection_id = secrets.token_urlsafe(12)
    token = _serializer().dumps([connection_id, principal.user_id])
    if request.args.get("negotiateVersion", type=int, default=0) < 1:
        token = _serializer().dumps(["", principal.user_id, connection_id])  # that version knows only one id
        return jsonify(negotiateVersion=0, connectionId=token, availableTransports=transports)
    return jsonify(
        negotiateVersion=1, connectionId=connection_id, connectionToken=token, availableTransports=transports
    )


def _guard() -> ResponseReturnValue | None:
    if request.endpoint != f"{request.blueprint}.hub":
        return None
    request.environ[BACKGROUND_FLAG] = True
    if (refusal := handshake.refusal()) is not None:
        return refusal
    principal = auth.require_principal()
    _refuse_while_draining()
    negotiated = _spend(request.args["id"], principal) if "id" in request.args else None
    request.environ[handshake.VISITOR] = principal, negotiated
    handshake.take_connection()
    request.environ[UPGRADE_FLAG] = True
    return None


def _refuse_while_draining() -> None:
    if runtime.current().draining:
        raise Restarting("The server is about to restart; try again")


def _spend(token: str, principal: Principal) -> str:
    """Use a connection token up; the id in it. `NotFound` if it is none, too old, somebody else's, or used before."""
    try:
        connection_id, user_id, *_ = _serializer().loads(token, max_age=TOKEN_SECONDS)
    except (BadSignature, ValueError):
        raise NotFound("There is no such connection") from None
    if user_id != principal.user_id:
        raise NotFound("There is no such connection")
    digest = hashlib.sha256(token.encode()).hexdigest()
    ends_at = int((time.time() + TOKEN_SECONDS) * 1000)
    with db.atomic():
        spent = SpentToken.insert(id=digest, expires_at=ends_at).on_conflict_ignore()
        if not db.rows_affected(db.execute(spent)):
            raise NotFound("There is no such connection")
    return str(connection_id) or token


def _open(upgrade: Upgrade) -> None:
    now = runtime.current()
    principal, connection_id = request.environ[handshake.VISITOR]
    sock, view_stays = take_socket(upgrade)
    # Held until the handshake (routes/invocations.py).
    hello = time.time() + signalr.HANDSHAKE_SECONDS, signalr.give_up
    connection = live.join(now, sock, "signalr", principal, connection_id, hello)
    live.stay(connection, view_stays)


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt=TOKEN_SALT)
