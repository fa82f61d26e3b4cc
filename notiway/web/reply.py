"""Reply: one answer in the form that was asked for: a page, a fragment for htmx, or JSON."""

from __future__ import annotations

import logging
import sqlite3
from typing import Any, Literal

import flask_login.utils
from flask import Blueprint, Flask, Response, current_app, jsonify, make_response, redirect, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from werkzeug.exceptions import HTTPException, default_exceptions

from notiway.live import runtime
from notiway.store.engine.faults import raise_translated
from notiway.values.errors import NotiwayError, Unauthorized, Unavailable
from notiway.values.text.urls import local_path, path_of_referrer
from notiway.web import auth, body
from notiway.web.sessions import READ_BY_PEOPLE

log = logging.getLogger(__name__)

Form = Literal["page", "fragment", "json"]
LABELS = {"ids": "the selection"}  # of fields that people do not see by name
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def form() -> Form:
    """What the client wants. htmx asks for a full page when it boosts a link or goes back in the history."""
    headers = request.headers
    if auth.bearer() is not None:
        return "json"  # a program: it has a token in place of a session
    machines = tuple(runtime.current().url(path) for path in ("/api/", "/hub/", "/ws/"))
    if f"{request.path}/".startswith(machines) and request.endpoint != READ_BY_PEOPLE:
        return "json"
    if headers.get("HX-Request") == "true":
        full = headers.get("HX-History-Restore-Request") == "true" or headers.get("HX-Request-Type") == "full"
        return "page" if full else "fragment"
    accepted = request.accept_mimetypes
    if accepted["application/json"] > accepted["text/html"]:
        return "json"
    return "json" if request.is_json and "text/html" not in accepted.values() else "page"


class Token(str):
    """A CSRF token that templates may also call: a foreign layout writes `csrf_token()`, as Flask-WTF has it."""

    __slots__ = ()

    def __call__(self) -> str:
        return str(self)


def csrf_token() -> Token:
    """The token of this session, for a template's context."""
    return Token(generate_csrf())


def origin() -> str | None:
    """The page that a form was sent from; None if it is another site's, or this very address, which has no page."""
    wanted = local_path(request.form.get("next")) or path_of_referrer(request.referrer, request.host_url)
    return None if wanted is None or wanted.partition("?")[0] == request.path else wanted


def back(default: str) -> Response:
    """Back to the page that a form was sent from, as a GET (303); never to another site."""
    return make_response(redirect(origin() or default, 303))


def register(target: Flask | Blueprint) -> None:
    """Answer every fault that has a code, in the form that was asked for."""
    target.register_error_handler(NotiwayError, failure)
    target.register_error_handler(sqlite3.Error, _broken_rows)


def failure(error: NotiwayError) -> ResponseReturnValue:
    """An error in the form that was asked for; a page is left to the application's own error pages."""
    if request.method not in SAFE_METHODS:
        body.drop()
    if isinstance(error, Unavailable):
        log.warning("%s %s was answered with 503: %s", request.method, request.path, error.reason)
    asked = form()
    if asked == "page":
        return _sign_in() if isinstance(error, Unauthorized) else _error_page(error)
    if asked == "json":
        response = jsonify(error.as_dict())
    else:
        # Without the application's context: it would ask for the user, whom a database that is away cannot name.
        fragment = current_app.jinja_env.get_template("notiway/toast/_error.html")
        response = make_response(fragment.render(code=error.code, message=words(error)))
    response.status_code = error.status
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _broken_rows(error: sqlite3.Error) -> ResponseReturnValue:
    """SQLite may meet a damaged page only while rows are fetched, which Peewee has no part in."""
    try:
        raise_translated(error)
    except Unavailable as known:
        return failure(known)


def words(error: NotiwayError) -> str:
    """An error for people: what happened, and each fault in a half-sentence.

    >>> words(WrongInput("Nothing was changed", [Fault("ids", "must be 1 to 1,000 notifications")]))
    'Nothing was changed: the selection must be 1 to 1,000 notifications'
    """
    faults = "; ".join(f"{LABELS.get(fault.path, fault.path)} {fault.message}" for fault in error.faults)
    return f"{error.message}: {faults}" if faults else error.message


def _sign_in() -> ResponseReturnValue:
    """To the application's sign-in page, and from there to a page (a form cannot be sent twice)."""
    manager: Any = current_app.login_manager  # type: ignore[attr-defined]
    if request.method in SAFE_METHODS:
        try:
            return manager.unauthorized()  # type: ignore[no-any-return]
        except HTTPException as error:
            # Without a login view flask-login aborts; raised in an error handler that would become a 500.
            return current_app.handle_http_exception(error)
    if request.method == "POST" and manager.login_view:
        return redirect(flask_login.utils.login_url(manager.login_view, next_url=origin()), 303)
    return _error_page(Unauthorized("Sign in first"))


def _error_page(error: NotiwayError) -> ResponseReturnValue:
    kind = default_exceptions.get(error.status, HTTPException)
    when: dict[str, Any] = {} if error.retry_after is None else {"retry_after": error.retry_after}
    return current_app.handle_http_exception(kind(description=words(error), **when))
