"""Sessions: what a page does by itself is no activity, so it never extends a login."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import flask_login
from flask import Flask, Response, current_app, request, session
from flask.sessions import SecureCookieSessionInterface, SessionInterface, SessionMixin
from itsdangerous import BadData, BadSignature
from itsdangerous.encoding import base64_decode, bytes_to_int

BACKGROUND_HEADER = "X-Notiway-Background"
SESSION_END = "notiway_session_end"  # in the session, set by a host that bounds it: seconds since the epoch
LIVE = "notiway_live"  # the blueprint of what programs ask for: sockets, streams, the API, health
READ_BY_PEOPLE = f"{LIVE}.api_docs"
ASSETS = "notiway.static"


class QuietSessions:
    """The application's own session interface, except that background requests never save.

    No subclass of `SessionInterface`: its defaults would hide what the application's own does.
    """

    def __init__(self, inner: SessionInterface, on_saved: Callable[[], None] = lambda: None) -> None:
        self.inner = inner
        self.on_saved = on_saved  # called when the session's cookie was sent anew: its end has moved

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if is_background():
            _leave_remembered(app, response)
            return
        self.inner.save_session(app, session, response)
        name = f"{self.inner.get_cookie_name(app)}="
        if session and any(line.startswith(name) for line in response.headers.getlist("Set-Cookie")):
            self.on_saved()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def _leave_remembered(app: Flask, response: Response) -> None:
    """Take back that flask-login renews its "remember me" (REMEMBER_COOKIE_REFRESH_EACH_REQUEST)."""
    name = f"{_remember_name(app)}="
    cookies = response.headers.getlist("Set-Cookie")
    if any(each.startswith(name) for each in cookies):
        response.headers.setlist("Set-Cookie", [each for each in cookies if not each.startswith(name)])


def _remember_name(app: Flask) -> str:
    return str(app.config.get("REMEMBER_COOKIE_NAME", flask_login.COOKIE_NAME))


def ends_at() -> float | None:
    """When the session of this request ends if nobody opens a page again: seconds since the epoch; None for never.

    That is a lifetime after its cookie was signed, not after now: a socket that opens late must not live longer.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    if _is_remembered(app):
        return None
    lifetime = app.permanent_session_lifetime.total_seconds()
    signed_at = _signed_at(app)
    if signed_at is not None:
        return _bounded(signed_at + int(lifetime) + 1)  # the second in which the cookie is no longer taken
    # Kept by the server, which renews it as it likes.
    return _bounded(time.time() + lifetime) if session.permanent else _bounded(None)


def end_if_renewed() -> float | None:
    """When it ends after this request, which has signed the cookie anew."""
    if _is_remembered(current_app):
        return None
    lifetime = current_app.permanent_session_lifetime.total_seconds()
    return _bounded(int(time.time()) + int(lifetime) + 1)


def are_cookies(app: Flask) -> bool:
    """Whether the application keeps its sessions in their cookies, as Flask does by itself, and nothing elsewhere."""
    interface = app.session_interface
    kept = type(getattr(interface, "inner", interface))
    return getattr(kept, "open_session", None) is SecureCookieSessionInterface.open_session


def _signed_at(app: Flask) -> int | None:
    interface = app.session_interface
    value = request.cookies.get(interface.get_cookie_name(app))
    if value is None:
        return None
    if "_user_id" in session and not session.modified and are_cookies(app):
        with suppress(BadData, IndexError):
            return _moment_in(value)  # all that is in the session is from there, so the signature is good
    serializer_of = getattr(interface, "get_signing_serializer", None)
    serializer = None if serializer_of is None else serializer_of(app)
    if serializer is None:
        return None
    try:
        _, moment = serializer.loads(value, return_timestamp=True)
    except BadSignature:
        return None
    return int(moment.timestamp())


def _moment_in(cookie: str) -> int:
    """When a cookie was signed, in seconds since the epoch (itsdangerous: payload, moment and signature, by dots)."""
    return bytes_to_int(base64_decode(cookie.rsplit(".", 2)[1]))


def _bounded(moment: float | None) -> float | None:
    last: float | None = session.get(SESSION_END)
    return min((each for each in (moment, last) if each is not None), default=None)


def _is_remembered(app: Flask) -> bool:
    """Whether flask-login's "remember me" signs this browser in again when the session has ended."""
    value = request.cookies.get(_remember_name(app))
    return value is not None and flask_login.decode_cookie(value) is not None


def is_background() -> bool:
    """Whether nobody asked for this request: a socket, a stream, or a page that brings itself up to date.

    Known from the route, before anything has asked who is signed in.
    """
    asked = request._get_current_object()  # type: ignore[attr-defined]
    endpoint = asked.endpoint
    if endpoint == ASSETS or BACKGROUND_HEADER in asked.headers:
        return True
    return bool(asked.blueprint == LIVE and endpoint != READ_BY_PEOPLE)
