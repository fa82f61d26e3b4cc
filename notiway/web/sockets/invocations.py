"""What a SignalR client may invoke (CONTRACT §4). A fault completes the invocation; its text begins with a code."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

from flask import Flask

from notiway.gateway import client_tokens
from notiway.gateway.envelope import audience_of, routing_faults
from notiway.live import runtime
from notiway.live.carriers import joining as live
from notiway.live.carriers.hub_protocol import READY, completion, handshake_fault, is_ready, refuse_handshake, split
from notiway.live.connection import Connection
from notiway.live.runtime import Runtime
from notiway.store import inbox
from notiway.store import membership as members
from notiway.store import standing as replay
from notiway.store.database import db
from notiway.values.audience import Audience, AudienceType
from notiway.values.close_codes import CloseCode
from notiway.values.errors import Fault, Forbidden, NotFound, NotiwayError, WrongInput
from notiway.verbs import send as notifications

log = logging.getLogger(__name__)

INVOCATION, STREAM_INVOCATION, CLOSE = 1, 4, 7


def handler(app: Flask) -> Callable[[Connection, str], None]:
    """The function that the mailbox calls with each frame of a SignalR client."""

    def handle(connection: Connection, text: str) -> None:
        with app.app_context():
            now = runtime.current()
            try:
                messages = split(text)
            except WrongInput as fault:
                _refuse(now, connection, str(fault))
                return
            with db.connection_context():
                for values in messages:
                    if not is_ready(connection):
                        if not _shake_hands(now, connection, values):
                            return
                    else:
                        _take(now, connection, values)

    return handle


def _shake_hands(now: Runtime, connection: Connection, values: dict[str, Any]) -> bool:
    fault = handshake_fault(values)
    if fault is not None:
        _refuse(now, connection, fault)
        return False
    ends_at = float(connection.stage) if connection.stage else None
    connection.stage = READY
    now.hub.end_at(connection, ends_at)
    items = replay.standing(cast("str", connection.user_id), connection.audiences)
    hello = connection.format.wire.connected(connection.id, 0)
    now.hub.release(connection, [hello, *live.frames_of(connection, items)], [item.id for item in items])
    return True


def _refuse(now: Runtime, connection: Connection, reason: str) -> None:
    """A fault of the protocol itself: before the handshake its answer carries the error, after it a Close does."""
    if is_ready(connection):
        now.reactor.call_soon(connection.close, CloseCode.PROTOCOL_ERROR, reason)
    else:
        now.reactor.call_soon(refuse_handshake, connection, reason)


def _take(now: Runtime, connection: Connection, values: dict[str, Any]) -> None:
    kind = values.get("type")
    if kind == CLOSE:
        now.reactor.call_soon(connection.close, CloseCode.NORMAL, "")
    elif kind == STREAM_INVOCATION:
        _answer(now, connection, values, "NotSupported: streams are not offered")
    elif kind == INVOCATION:
        try:
            _invoke(now, connection, values)
        except NotiwayError as fault:
            _answer(now, connection, values, f"{fault.code}: {fault}")
        except Exception:
            log.exception("an invocation failed")
            _answer(now, connection, values, "Error: the server met a fault")
    # Pings count as being heard; everything else is not for servers, or newer than this one.


def _answer(now: Runtime, connection: Connection, values: dict[str, Any], error: str | None = None) -> None:
    now.hub.tell(connection, _completion(values, error))


def _completion(values: dict[str, Any], error: str | None = None) -> str | None:
    invocation_id = values.get("invocationId")
    return completion(invocation_id, error) if isinstance(invocation_id, str) else None


def _invoke(now: Runtime, connection: Connection, values: dict[str, Any]) -> None:
    arguments = values.get("arguments")
    if not isinstance(arguments, list):
        raise WrongInput("arguments must be a list")
    user_id = cast("str", connection.user_id)  # a hub connection is always somebody's
    match values.get("target"), arguments:
        case "Subscribe", [routing]:
            live.subscribe(now, connection, _audience(routing), _completion(values))
            return
        case "Unsubscribe", [routing]:
            live.unsubscribe(now, connection, _audience(routing), _completion(values))
            return
        case "MarkAsRead", [str(audience_id), str(public_id)]:
            notifications.mark_read(user_id, _ids(user_id, audience_id, public_id))
        case "MarkAsDeleted", [str(audience_id), str(public_id)]:
            notifications.delete(user_id, _ids(user_id, audience_id, public_id))
        case "Renew", [str(token)]:
            renew(now, connection, token)
        case ("Subscribe" | "Unsubscribe" | "MarkAsRead" | "MarkAsDeleted" | "Renew") as target, _:
            raise WrongInput(f"{target} was called with arguments that it does not take")
        case target, _:
            raise live.NotSupported(f"there is no method {str(target)[:50]!r}")
    _answer(now, connection, values)


def renew(now: Runtime, connection: Connection, token: str) -> None:
    """Let a connection live as long as a newer token of the same user; `Forbidden` for somebody else's."""
    claims = client_tokens.read(now.token_secret, token)
    if claims.user_id != connection.user_id:
        raise Forbidden("The token is another user's")
    connection.grants = claims.audiences
    now.hub.end_at(connection, claims.expires_at)
    for audience in map(Audience.parse, connection.audiences):
        if audience.type in (AudienceType.TENANT, AudienceType.GROUP) and not _still_may(now, claims, audience):
            now.hub.unsubscribe(connection, audience.key)


def _still_may(now: Runtime, claims: client_tokens.Claims, audience: Audience) -> bool:
    if audience.key in claims.audiences or audience.key == f"tenant:{claims.tenant_id}":
        return True
    return members.may_subscribe(claims.user_id, audience, now.config.open_groups)


def _audience(routing: object) -> Audience:
    if not isinstance(routing, dict):
        raise WrongInput("the argument must be {audienceType, audienceValue, tenantId}")
    kind, value, tenant = (routing.get(name) for name in ("audienceType", "audienceValue", "tenantId"))
    if isinstance(kind, bool) or kind not in list(AudienceType):
        raise WrongInput("audienceType must be a number from 1 to 5")
    if not isinstance(value, str | None) or not isinstance(tenant, str | None):
        raise WrongInput("audienceValue and tenantId must be text or null")
    kind = AudienceType(kind)
    if kind not in (AudienceType.TENANT, AudienceType.GROUP):
        raise live.NotSupported("only tenants and groups can be subscribed to; the rest comes by itself")
    faults = routing_faults(kind, value, tenant)
    if faults:
        named = [Fault(fault.path.removeprefix("routing."), fault.message) for fault in faults]
        raise WrongInput("there is no such audience", named)
    try:
        return audience_of(kind, value, tenant)
    except ValueError as fault:
        raise WrongInput(str(fault)) from None


def _ids(user_id: str, audience_id: str, public_id: str) -> list[str]:
    ids = replay.find(user_id, audience_id, public_id)
    if not ids:
        inbox.catch_up(user_id)
        ids = replay.find(user_id, audience_id, public_id)
    if not ids:
        raise NotFound("there is no such notification")
    return ids
