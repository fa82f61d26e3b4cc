"""What a WebSocket client may ask for (CONTRACT §4). Each takes the connection's user, never the client's word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flask import Flask

from notiway.live import runtime
from notiway.live.carriers import joining
from notiway.live.connection import Connection
from notiway.live.runtime import Runtime
from notiway.store import inbox
from notiway.store.changes.presses import Press
from notiway.store.database import db
from notiway.values.audience import Audience
from notiway.values.errors import NotSupported, WrongInput
from notiway.values.ids import is_id
from notiway.values.text import json_text
from notiway.verbs import items
from notiway.verbs.changes import archive, presses, snoozes
from notiway.web.sockets.faults import told
from notiway.web.sockets.renewal import renew

CHANGES: dict[str, Callable[[str, list[str]], int]] = {
    "markAsRead": items.mark_read,
    "markAsUnread": items.mark_unread,
    "delete": items.delete,
    "restore": items.restore,
    "archive": archive.archive,
    "unarchive": archive.put_back,
    "unsnooze": archive.put_back,
}


def handler(app: Flask) -> Callable[[Connection, str], None]:
    """The function that the mailbox calls with each message; it holds a database connection only meanwhile."""

    def handle(connection: Connection, text: str) -> None:
        with app.app_context():
            now = runtime.current()
            try:
                with db.connection_context():
                    _act(now, connection, _parse(text))
            except Exception as error:  # noqa: BLE001 - whoever asked is answered, whatever failed
                now.hub.tell(connection, connection.format.wire.error(*told(error, "an action of a WebSocket client")))

    return handle


def _parse(text: str) -> dict[str, Any]:
    try:
        message = json_text.read_message(text)
    except ValueError:
        raise WrongInput("This is not JSON") from None
    if not isinstance(message, dict):
        raise WrongInput("A message must be an object with an action")
    return message


def _act(now: Runtime, connection: Connection, message: dict[str, Any]) -> None:
    user_id = cast("str", connection.user_id)  # the hub closes whoever is not signed in
    match message.get("action"):
        case "ping":
            unread = inbox.arrive(user_id)
            now.hub.tell_count([connection], unread)
        case str(action) if action in CHANGES:
            CHANGES[action](user_id, _id(message))
        case "markAllAsRead":
            items.mark_all_read(user_id, _cutoff(message))
        case "undoMarkAllAsRead":
            presses.undo(user_id, _press(message))
        case "snooze":
            snoozes.snooze(user_id, _id(message), _moment(message))
        case "subscribe":
            joining.subscribe(now, connection, _audience(message))
        case "unsubscribe":
            joining.unsubscribe(now, connection, _audience(message))
        case "renew":
            renew(now, connection, _text(message, "token"))
        case action:
            raise NotSupported(f"There is no action {str(action)[:50]!r}")


def _id(message: dict[str, Any]) -> list[str]:
    return [_text(message, "notificationId")]


def _text(message: dict[str, Any], name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str):
        raise WrongInput(f"{name} must be text")
    return value


def _cutoff(message: dict[str, Any]) -> str | None:
    value = message.get("before")
    if value is not None and not is_id(value):
        raise WrongInput("before must be the id of a notification")
    return value


def _press(message: dict[str, Any]) -> Press:
    try:
        return Press.from_text(_text(message, "press"))
    except ValueError:
        raise WrongInput("press must be what the message markedAllAsRead said") from None


def _moment(message: dict[str, Any]) -> int:
    value = message.get("until")
    if type(value) is not int:
        raise WrongInput("until must be a moment in milliseconds since the epoch")
    return value


def _audience(message: dict[str, Any]) -> Audience:
    try:
        return Audience.parse(str(message.get("audience", "")))
    except ValueError as error:
        raise WrongInput(str(error)) from None
