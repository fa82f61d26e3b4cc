"""What a SignalR client may invoke (CONTRACT §4). A fault completes the invocation; its text begins with a code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flask import Flask

from notiway.gateway.envelope import audience_of, routing_faults
from notiway.live import runtime
from notiway.live.carriers import joining
from notiway.live.carriers.hub_protocol import (
    READY,
    completion,
    handshake_fault,
    is_ready,
    refuse_handshake,
    split,
    turned_away,
)
from notiway.live.carriers.replaying import frames_of
from notiway.live.connection import Connection
from notiway.live.runtime import Runtime
from notiway.store import inbox
from notiway.store.database import db
from notiway.store.log import resuming, standing
from notiway.store.log.resuming import Cursor
from notiway.values.audience import Audience, AudienceType
from notiway.values.close_codes import CloseCode
from notiway.values.errors import Fault, NotFound, NotSupported, WrongInput
from notiway.verbs import items
from notiway.web.sockets.faults import told
from notiway.web.sockets.renewal import renew

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
            for values in messages:
                if is_ready(connection):
                    _take(now, connection, values)
                elif not _shake_hands(now, connection, values):
                    return

    return handle


def _shake_hands(now: Runtime, connection: Connection, values: dict[str, Any]) -> bool:
    fault = handshake_fault(values)
    if fault is not None:
        _refuse(now, connection, fault)
        return False
    end = turned_away(connection)
    if end is not None:
        now.reactor.call_soon(refuse_handshake, connection, end[1], end[0])
        return False
    connection.stage = READY
    now.hub.greet(connection)
    try:
        with db.connection_context():
            _replay(now, connection)
    except Exception as error:  # noqa: BLE001 - a client that hears nothing would wait for ever
        code, message = told(error, "a SignalR handshake")
        now.reactor.call_soon(refuse_handshake, connection, f"{code}: {message}")
        return False
    return True


def _replay(now: Runtime, connection: Connection) -> None:
    """Answer the handshake, then tell what came after the id that the client names, or else what stands."""
    user_id = cast("str", connection.user_id)
    audiences = connection.audiences
    hello = connection.format.wire.connected(connection.id, 0)
    cursor = None if connection.since is None else _cursor(user_id, connection.since)
    if cursor is not None:
        now.replaying.resume(connection, cursor, [hello], [cursor.but], lambda item: item.audience in audiences)
        return
    found = standing.items(user_id, audiences, standing.REPLAY_LIMIT)
    left_out = joining.incomplete(connection, audiences, found)
    now.hub.release(connection, [hello, *left_out, *frames_of(connection, found)], [item.id for item in found])


def _cursor(user_id: str, since: str) -> Cursor | None:
    """Where a client resumes that names a notification, by either id, or a cursor; None if we know neither."""
    known = standing.named(user_id, since)
    try:
        return resuming.after(known) if known is not None else resuming.since(since)
    except ValueError:
        return None


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
            with db.connection_context():
                _invoke(now, connection, values)
        except Exception as error:  # noqa: BLE001 - whoever asked is answered, whatever failed
            code, message = told(error, "an invocation of a SignalR client")
            _answer(now, connection, values, f"{code}: {message}")
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
            joining.subscribe(now, connection, _audience(routing), _completion(values))
            return
        case "Unsubscribe", [routing]:
            joining.unsubscribe(now, connection, _audience(routing), _completion(values))
            return
        case "MarkAsRead", [str(audience_id), str(public_id)]:
            items.mark_read(user_id, _ids(user_id, audience_id, public_id))
        case "MarkAsDeleted", [str(audience_id), str(public_id)]:
            items.delete(user_id, _ids(user_id, audience_id, public_id))
        case "Renew", [str(token)]:
            renew(now, connection, token)
        case ("Subscribe" | "Unsubscribe" | "MarkAsRead" | "MarkAsDeleted" | "Renew") as target, _:
            raise WrongInput(f"{target} was called with arguments that it does not accept")
        case target, _:
            raise NotSupported(f"there is no method {str(target)[:50]!r}")
    _answer(now, connection, values)


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
        raise NotSupported("only tenants and groups can be subscribed to; the others need no subscription")
    faults = routing_faults(kind, value, tenant)
    if faults:
        named = [Fault(fault.path.removeprefix("routing."), fault.message) for fault in faults]
        raise WrongInput("there is no such audience", named)
    try:
        return audience_of(kind, value, tenant)
    except ValueError as fault:
        raise WrongInput(str(fault)) from None


def _ids(user_id: str, audience_id: str, public_id: str) -> list[str]:
    ids = standing.find(user_id, audience_id, public_id)
    if not ids:
        inbox.catch_up(user_id)
        ids = standing.find(user_id, audience_id, public_id)
    if not ids:
        raise NotFound("there is no such notification")
    return ids
