"""Pressing: the buttons of a notification, and calls of the application's own routes that they stand for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextvars import Context
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import flask_login
from flask import Blueprint, Flask, current_app, g, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.test import run_wsgi_app

from notiway.live import runtime
from notiway.store.database import db
from notiway.values.errors import ActionFailed
from notiway.values.item import Item
from notiway.verbs import answers
from notiway.web import auth, body, reply

log = logging.getLogger(__name__)

ID = "/notifications/<notification_id>"
TOKEN_HEADER, TOKEN_FIELD = "HTTP_X_CSRFTOKEN", "csrf_token"
# Of the request that pressed: who it is, and from where. What it asked for, and in which form, is its own affair.
KEPT = ("SERVER_", "REMOTE_", "SCRIPT_NAME", "HTTP_", "wsgi.url_scheme", "wsgi.version", "wsgi.errors", "wsgi.multi")
NOT_KEPT = ("HTTP_HX_", "HTTP_ACCEPT", "HTTP_CONTENT", "HTTP_UPGRADE", "HTTP_CONNECTION", "HTTP_SEC_WEBSOCKET")


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(f"{ID}/actions/<name>", view_func=press, methods=["POST"])
    blueprint.add_url_rule(f"{ID}/undo", view_func=undo, methods=["POST"])


def press(notification_id: str, name: str) -> ResponseReturnValue:
    """Press a button: the answer says what became of it, and who was first."""
    user_id = auth.require_owner()
    item = answers.press(user_id, notification_id, name, by_name=_name_of(user_id), call=_caller())
    return _answered(item)


def undo(notification_id: str) -> ResponseReturnValue:
    """Take back what was done."""
    user_id = auth.require_owner()
    return _answered(answers.undo(user_id, notification_id, by_name=_name_of(user_id)))


def _answered(item: Item) -> ResponseReturnValue:
    asked = reply.form()
    if asked == "json":
        return jsonify(notificationId=item.id, answer=item.settled_answer)
    if asked == "page":
        return reply.back(url_for("notiway.history"))
    return render_template("notiway/frames/answered.html", items=[item])


def _name_of(user_id: str) -> str:
    """What readers see: as `people` has it, else the `name` of the application's user, else the id."""
    people = runtime.current().people
    found = [] if people is None else people.named([user_id])
    name: Any = found[0].name if found else None
    if name is None and auth.bearer() is None:
        name = getattr(flask_login.current_user, "name", None)
    return name if name and isinstance(name, str) else user_id


def _caller() -> Callable[[str], None]:
    """Calls a path of this application as whoever sent this request would: with cookies and CSRF token."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    if auth.bearer() is not None:
        return _needs_session
    token = request.environ.get(TOKEN_HEADER) or _field(TOKEN_FIELD)
    environ = {
        key: value for key, value in request.environ.items() if key.startswith(KEPT) and not key.startswith(NOT_KEPT)
    }
    return lambda url: _call(app, environ, token, url)


def _field(name: str) -> str:
    given = body.read_object().get(name) if request.is_json else request.form.get(name)
    return given if isinstance(given, str) else ""


def _needs_session(_url: str) -> None:
    raise ActionFailed("This needs somebody who is signed in: open it in the application.")


def _call(app: Flask, environ: dict[str, Any], token: str, url: str) -> None:
    """Answer a POST to a path inside this process; `ActionFailed` unless its status is below 400.

    In a thread (under gevent a greenlet) and a context of its own, for the application must find nothing open that
    belongs to the request that waits. Middleware is passed by: it has seen that request already.
    """
    parts, sent = urlsplit(url), urlencode({TOKEN_FIELD: token}).encode()
    path = unquote(parts.path).removeprefix(environ.get("SCRIPT_NAME", "")).encode().decode("latin-1")
    asked = {
        **environ,
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": parts.query,
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(sent)),
        "HTTP_ACCEPT": "text/html,application/json;q=0.9",
        TOKEN_HEADER: token,
        "wsgi.input": BytesIO(sent),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    statuses: list[int] = []

    def answer() -> None:
        try:
            _, status, _ = run_wsgi_app(lambda *given: Flask.wsgi_app(app, *given), asked, buffered=True)
            statuses.append(int(status.partition(" ")[0]))
        except Exception:  # as an application that is being tested lets it out
            log.exception("POST %s, which a button stands for, failed", parts.path)

    if not g.get("notiway_found_open", False) and not db.in_transaction():
        db.close()  # the route takes one of its own: of a small pool, presses must not hold one each and wait for more
    thread = threading.Thread(target=lambda: Context().run(answer), name="notiway-pressed", daemon=True)
    thread.start()
    thread.join()
    status = statuses[0] if statuses else 500
    if status >= 400:
        log.warning("POST %s, which a button stands for, was answered with %d", parts.path, status)
        raise ActionFailed("You may not do that." if status in (401, 403) else answers.BROKEN)
