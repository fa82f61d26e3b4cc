"""Who is asking: the login session, its sockets, CSRF and origins. The host's flask-login is the authority."""

from __future__ import annotations

import logging
import secrets
from sys import intern
from typing import Any

import flask_login
from blinker import Signal
from flask import Flask, current_app, request, session
from flask_login import user_logged_in, user_logged_out
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError

from notiway import security_log
from notiway.gateway import admission, tickets
from notiway.gateway.client_tokens import Claims
from notiway.live import runtime
from notiway.values.errors import ConfigError, Fault, Forbidden, Throttled, Unauthorized
from notiway.values.event import Event
from notiway.values.principal import Principal
from notiway.verbs.events import publish
from notiway.verbs.sign_out import session_of_key, sign_out
from notiway.web import sessions

log = logging.getLogger(__name__)

# For a host that keeps a list of sessions. Sent by the application with `user` and `name`, the session's own.
session_began, session_ended = Signal(), Signal()

SESSION_KEY = "notiway_session"  # in the session: names this login, so that a sign-out finds its sockets
LOGINS = "notiway_logins"  # in the session: [user id, name] of each login since the last logout, the newest last
LOGINS_KEPT = 5  # a cookie is small; the sockets of those before are closed
SESSION_KEY_BYTES = 16  # ASVS 5.0, 7.2.3
RENEWAL_SECONDS = 1.0
OWNER = "notiway.owner"  # in the WSGI environ: the user whose token the request carries
CSRF_HEADER = "X-CSRFToken"
CSRF_FIELD = "csrf_token"
CSRF_SECONDS = 31 * 24 * 60 * 60  # a page may stay open; the token also ends with its session


def principal() -> Principal | None:
    """Who is asking: by client token or ticket where one is given, else by the login session; None for nobody.

    A bad token is `Unauthorized`: the session is no second try. A ticket is for the page that asked for it, and cookies
    need an origin check.
    """
    token = given_token()
    if token is not None:
        return of_claims(admit_token(token))
    ticket = request.args.get(tickets.PARAMETER)
    if ticket is not None:
        return tickets.spend(runtime.current(), ticket, request.headers.get("Origin"))
    check_origin()
    user_id = current_user_id()
    return None if user_id is None else Principal(user_id, session_key(), sessions.ends_at())


def require_principal() -> Principal:
    """The same; `Unauthorized` for nobody."""
    found = principal()
    if found is None:
        raise Unauthorized("Sign in first, or send a client token")
    return found


def of_claims(claims: Claims) -> Principal:
    """Who the bearer of a client token is. The key that asked for it takes the place of a session: it can end too."""
    session = None if claims.key_id is None else session_of_key(claims.key_id)
    return Principal(claims.user_id, session, claims.expires_at, claims.tenant_id, claims.audiences)


def given_token() -> str | None:
    """The client token of the request: the bearer, or `access_token`, since browsers set no headers on a socket."""
    return bearer() or request.args.get("access_token")


def bearer() -> str | None:
    """The client token in the `Authorization` header, which no browser adds by itself."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None


def admit_token(token: str) -> Claims:
    """What a client token says; `Unauthorized`, which is noted, unless it is good."""
    try:
        return admission.admit(runtime.current(), token)
    except Unauthorized as error:
        security_log.note("token_refused", reason=error.message, address=request.remote_addr)
        raise


def require_owner() -> str:
    """Whose items a request is about: a token's bearer, else the user who is signed in; `Unauthorized` for nobody."""
    if (token := bearer()) is None:
        return require_user()
    if OWNER not in request.environ:
        request.environ[OWNER] = admit_token(token).user_id
    return str(request.environ[OWNER])


def current_user_id() -> str | None:
    """The id of the user who is signed in, or None; `ConfigError` in an application without flask-login."""
    if not hasattr(current_app, "login_manager"):
        advice = "give the application a flask_login.LoginManager with a user_loader"
        raise ConfigError("Notiway asks flask-login who is signed in", [Fault("login_manager", advice)])
    user: Any = flask_login.current_user._get_current_object()  # each look through the proxy costs as much as a line
    return id_of(user) if user and user.is_authenticated else None


def require_user() -> str:
    """The id of the user who is signed in; `Unauthorized` if nobody is."""
    user_id = current_user_id()
    if user_id is None:
        raise Unauthorized("Sign in first")
    return user_id


def is_staff() -> bool:
    """Whether the user who is signed in has an attribute or a method `is_staff` that says so."""
    flag: Any = getattr(flask_login.current_user, "is_staff", False) if current_user_id() is not None else False
    return bool(flag() if callable(flag) else flag)


def take_turn(user_id: str) -> None:
    """Count one thing that this user changes or sends; `Throttled` when that goes over NOTIWAY_USER_RATE."""
    now = runtime.current()
    try:
        now.throttle.take("user", now.config.user_rate, user_id)
    except Throttled:
        security_log.note("user_throttled", user=user_id, address=request.remote_addr)
        raise


def require_staff() -> str:
    """The id of the signed-in member of staff; `Unauthorized` for nobody, `Forbidden` for everybody else."""
    user_id = require_user()
    if not is_staff():
        security_log.note("staff_refused", user=user_id, address=request.remote_addr)
        raise Forbidden("This page is for staff")
    return user_id


def session_key() -> str:
    """The random name of this login session; made when a page is drawn, read when a socket opens."""
    if SESSION_KEY not in session:
        session[SESSION_KEY] = secrets.token_urlsafe(SESSION_KEY_BYTES)
    return intern(str(session[SESSION_KEY]))


def tell_renewal() -> None:
    """Let the open connections of this session live as long as it does, now that a page has renewed it."""
    if SESSION_KEY not in session or "_user_id" not in session:
        return
    now, key = runtime.current(), session_key()
    try:
        # The cookie counts whole seconds, so one Event a second is enough.
        if now.pace.due(f"session:{key}", RENEWAL_SECONDS) and (user_id := current_user_id()) is not None:
            data = {"session": key, "ends_at": sessions.end_if_renewed()}
            publish(now, Event("renewed", f"user:{user_id}", data))
    except Exception:
        log.exception("the renewal of a session was not told: its open connections end with the old cookie")


def check_csrf() -> None:
    """`Forbidden` unless the request carries this session's token, in the header or the form.

    Where the application has a `CSRFProtect` that one looks, and refuses as it does elsewhere.
    """
    protection = current_app.extensions.get("csrf")
    if protection is not None:
        protection.protect()
        return
    token = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD)
    try:
        validate_csrf(token, time_limit=CSRF_SECONDS)
    except ValidationError as error:
        raise Forbidden(f"{error.args[0]} Reload the page and try again.") from error


def check_origin() -> None:
    """`Forbidden` if a browser says that another site's page opens this connection (RFC 6455 §10.2).

    A client that is no browser sends no Origin, and no browser leaves it out of a WebSocket handshake.
    """
    origin = request.headers.get("Origin")
    if origin is None or origin in runtime.current().config.allowed_origins:
        return
    # Behind a proxy that ends TLS the request may look like http; the reverse would be a downgrade.
    schemes = ("https",) if request.is_secure else ("http", "https")
    host = request.host.lower()
    if origin.lower() not in [f"{scheme}://{host}" for scheme in schemes]:
        security_log.note("origin_refused", origin=origin, address=request.remote_addr)
        raise Forbidden("This origin may not connect; add it to NOTIWAY_ALLOWED_ORIGINS")


def follow_logins(app: Flask) -> None:
    """A login begins a new session name; a logout, wherever it is called, closes that session's sockets."""

    def began(sender: Flask, user: Any = None, **_: Any) -> None:
        user_id = id_of(user)
        earlier = _logins(user_id)
        session[SESSION_KEY] = secrets.token_urlsafe(SESSION_KEY_BYTES)
        # An application may ask for the password again and log nobody out. The other tabs are still that user's.
        own = [each for each in earlier if each[0] == user_id]
        kept = own[-(LOGINS_KEPT - 1) :]
        session[LOGINS] = [*kept, [user_id, session[SESSION_KEY]]]
        for login in earlier:
            if login not in kept:
                _end(*login)
        session_began.send(sender, user=user, name=session[SESSION_KEY])

    def ended(sender: Flask, user: Any = None, **_: Any) -> None:
        is_known = user is not None and not user.is_anonymous
        logins = _logins(id_of(user)) if is_known else []
        session.pop(LOGINS, None)
        session.pop(SESSION_KEY, None)
        for user_id, name in logins:
            session_ended.send(sender, user=user, name=name)
            _end(user_id, name)

    user_logged_in.connect(began, app, weak=False)
    user_logged_out.connect(ended, app, weak=False)


def _end(user_id: str, session_name: str) -> None:
    """Close the sockets of a login. A fault must not keep anyone from signing in or out of the application."""
    try:
        sign_out(user_id, session_name)
    except Exception:
        log.exception("the live connections of a login were not closed; they end with its session: run notiway doctor")


def _logins(user_id: str) -> list[list[str]]:
    """The logins that this browser's session has seen; one that nothing was noted of is taken for this user's."""
    logins: list[list[str]] = list(session.get(LOGINS, ()))
    name = session.get(SESSION_KEY)
    if name is not None and name not in [each[1] for each in logins]:
        logins.append([user_id, name])
    return logins


def id_of(user: Any) -> str:
    """The id of one of the application's users."""
    # get_id() may carry a session token beside the id (flask-login's alternative ids), so a plain id is preferred.
    plain = getattr(user, "id", None)
    # Interned, as is the session's name: every connection of the user keeps both.
    return intern(str(user.get_id() if plain is None else plain))
