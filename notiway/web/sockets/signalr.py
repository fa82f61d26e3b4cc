"""The SignalR hub `/hub`: negotiation and the WebSocket (SignalR TransportProtocols specification)."""

from __future__ import annotations

import secrets
import time

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from flask_sock import Sock
from itsdangerous import BadSignature, URLSafeTimedSerializer

from notiway.live import runtime
from notiway.live.carriers import hub_protocol
from notiway.live.carriers.parking import check_server, stay, take_socket
from notiway.live.carriers.websocket import UPGRADE_FLAG, Upgrade
from notiway.store.credentials import tokens
from notiway.values.clock import now_ms
from notiway.values.errors import NotFound, Restarting
from notiway.values.principal import Principal
from notiway.web import auth
from notiway.web.sessions import LIVE
from notiway.web.sockets import handshake, opening

SINCE = "notiway.hub_since"  # in the WSGI environ: what the client says that it has
ENDPOINT = f"{LIVE}.hub"
TOKEN_SECONDS = 30  # between negotiating and connecting
LONGEST_SINCE = 200  # characters of an id that a token remembers
TOKEN_SALT = "notiway.signalr"  # noqa: S105 - separates these signatures from others


def register(blueprint: Blueprint) -> None:
    """Add `/hub` and `/hub/negotiate`."""
    blueprint.before_request(_guard)
    blueprint.add_url_rule("/hub/negotiate", "negotiate", negotiate, methods=["POST"])
    Sock().route("/hub", bp=blueprint, endpoint="hub")(_open)


def negotiate() -> ResponseReturnValue:
    """Say which transport there is, and give a token that opens one connection."""
    runtime.current().gate.admit()
    principal = auth.require_principal()
    check_server(runtime.current())
    _refuse_while_draining()
    transports = [{"transport": "WebSockets", "transferFormats": ["Text"]}]
    # Producers reach one tab by its connection's id, so the client must know it from here on.
    connection_id = f"{runtime.current().broker.node}.{secrets.token_urlsafe(12)}"
    since = request.args.get("since", "")[:LONGEST_SINCE]
    token = _serializer().dumps([connection_id, principal.user_id, "", since])
    if request.args.get("negotiateVersion", type=int, default=0) < 1:
        token = _serializer().dumps(["", principal.user_id, connection_id, since])  # that version knows only one id
        return jsonify(negotiateVersion=0, connectionId=token, availableTransports=transports)
    return jsonify(
        negotiateVersion=1, connectionId=connection_id, connectionToken=token, availableTransports=transports
    )


def _guard() -> ResponseReturnValue | None:
    if request.endpoint != ENDPOINT:
        return None
    if (refusal := handshake.refusal(runtime.current())) is not None:
        return refusal
    if "id" not in request.args:  # else the negotiation was admitted
        runtime.current().gate.admit()
    principal = auth.require_principal()
    _refuse_while_draining()
    connection_id, since = _spend(request.args["id"], principal) if "id" in request.args else (None, "")
    request.environ[handshake.VISITOR] = principal, connection_id
    request.environ[SINCE] = request.args.get("since") or since or None
    handshake.take_connection()
    request.environ[UPGRADE_FLAG] = True
    return None


def _refuse_while_draining() -> None:
    if runtime.current().draining:
        raise Restarting("The server is about to restart; try again")


def _spend(token: str, principal: Principal) -> tuple[str, str]:
    """Use a connection token up; the connection's id, and what the client said that it has.

    `NotFound` if it is no token, too old, somebody else's, or used before.
    """
    try:
        connection_id, user_id, _, since = _serializer().loads(token, max_age=TOKEN_SECONDS)
    except (BadSignature, ValueError):
        raise NotFound("There is no such connection") from None
    if user_id != principal.user_id:
        raise NotFound("There is no such connection")
    if not tokens.spend(token, now_ms() + TOKEN_SECONDS * 1000):
        raise NotFound("There is no such connection")
    return str(connection_id) or token, str(since)


def _open(upgrade: Upgrade) -> None:
    now = runtime.current()
    principal, connection_id = request.environ[handshake.VISITOR]
    sock, view_stays = take_socket(upgrade)
    # Held until the handshake (invocations.py).
    hello = time.time() + hub_protocol.HANDSHAKE_SECONDS, hub_protocol.give_up
    since = request.environ[SINCE]
    connection = opening.join(now, sock, "signalr", principal, connection_id=connection_id, hello=hello, since=since)
    stay(connection, view_stays)


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt=TOKEN_SALT)
