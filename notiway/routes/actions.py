"""What a WebSocket client may ask for (CONTRACT §4). Each takes the connection's user, never the client's word."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from flask import Flask

from notiway import inbox, members, notifications, runtime
from notiway.audience import Audience, AudienceType
from notiway.connection import Connection
from notiway.database import db
from notiway.errors import Forbidden, NotiwayError, WrongInput
from notiway.ids import is_id
from notiway.runtime import Runtime


class NotSupported(WrongInput):
    """This wire does not offer that."""

    code = "NotSupported"


def handler(app: Flask) -> Callable[[Connection, str], None]:
    """The function that the mailbox calls with each message; it holds a database connection only meanwhile."""

    def handle(connection: Connection, text: str) -> None:
        with app.app_context():
            now = runtime.current()
            try:
                with db.connection_context():
                    _act(now, connection, _parse(text))
            except NotiwayError as error:
                now.hub.tell(connection, connection.format.wire.error(error.code, str(error)))

    return handle


def _parse(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise WrongInput("This is no JSON") from None
    if not isinstance(message, dict):
        raise WrongInput("A message must be an object with an action")
    return message


def _act(now: Runtime, connection: Connection, message: dict[str, Any]) -> None:
    user_id = cast("str", connection.user_id)  # the hub closes whoever is not signed in
    match message.get("action"):
        case "ping":
            unread = inbox.unread_count(user_id)
            now.hub.tell(connection, connection.format.wire.heartbeat(unread), "unread")
        case "markAsRead":
            notifications.mark_read(user_id, _id(message))
        case "markAsUnread":
            notifications.mark_unread(user_id, _id(message))
        case "markAllAsRead":
            notifications.mark_all_read(user_id, _cutoff(message))
        case "delete":
            notifications.delete(user_id, _id(message))
        case "restore":
            notifications.restore(user_id, _id(message))
        case "subscribe":
            audience = _audience(message)
            if not members.may_subscribe(user_id, audience, now.config.open_groups):
                raise Forbidden(f"You may not listen to {audience.key}")
            now.hub.subscribe(connection, audience.key)
        case "unsubscribe":
            now.hub.unsubscribe(connection, _audience(message).key)
        case action:
            raise NotSupported(f"There is no action {str(action)[:50]!r}")


def _id(message: dict[str, Any]) -> list[str]:
    value = message.get("notificationId")
    if not isinstance(value, str):
        raise WrongInput("notificationId must be the id of a notification")
    return [value]


def _cutoff(message: dict[str, Any]) -> str | None:
    value = message.get("before")
    if value is not None and not is_id(value):
        raise WrongInput("before must be the id of a notification")
    return value


def _audience(message: dict[str, Any]) -> Audience:
    try:
        audience = Audience.parse(str(message.get("audience", "")))
    except ValueError as error:
        raise WrongInput(str(error)) from None
    if audience.type not in (AudienceType.TENANT, AudienceType.GROUP):
        raise NotSupported("Only tenants and groups can be subscribed to; the rest comes by itself")
    return audience
