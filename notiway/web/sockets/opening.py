"""Opening: a client is registered, and looked at once more if it may have been signed out meanwhile.

A sign-out closes what is registered, once it is told here, which is after its commit. While no Event has come to this
process since the request began, none has been told that the first look did not see, and every later one finds the
connection: nothing need be asked again. Else a second look sees what is committed by then. So no sign-out leaves a
socket open, whatever the database's isolation level shows to statements of one transaction: nothing is left of the
first look but the request, and the session where its cookie is all there is of it.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from flask import current_app, g, request, session

from notiway.gateway import tickets
from notiway.live import runtime
from notiway.live.broker.channels import OF_ONE
from notiway.live.carriers import joining, newcomers
from notiway.live.carriers.hub_protocol import SignalRTransport
from notiway.live.connection import Connection
from notiway.live.runtime import Runtime
from notiway.values.close_codes import CloseCode
from notiway.values.errors import Forbidden, Unauthorized
from notiway.values.principal import Principal
from notiway.web import auth, sessions
from notiway.web.sockets import handshake


def join(now: Runtime, sock: Any, format_name: str, principal: Principal | None, **options: Any) -> Connection:
    """Register a client as `joining.join` does; it is closed with 4009 if it may not come in any more."""
    connection = joining.join(now, sock, format_name, principal, **options)
    if principal is not None and now.hub.heard is not g.get("notiway_heard"):
        known = connection.audiences
        joining.bring_up_to_date(now, connection, lambda: _look_again(now, connection, principal, known))
    return connection


def _look_again(now: Runtime, connection: Connection, principal: Principal, known: tuple[str, ...]) -> None:
    if not is_still(principal):
        now.hub.in_turn(connection.close, CloseCode.SIGNED_OUT, "signed out")
    handshake.take_connection()  # an application may close the database at the end of any context
    # Whoever joined or left a group meanwhile was told so before this connection could hear it.
    audiences = joining.audiences_of(principal)
    new = [key for key in audiences if key not in known]
    with now.hub.hearing.pinned(new):
        for key in audiences:
            now.hub.in_turn(now.hub.listeners.add, connection, key)
        now.hub.audiences_of(connection)
    if new and isinstance(connection.format.transport, SignalRTransport):
        # Its client may have said hello by now, and what was read for it then knows nothing of these.
        now.hub.in_turn(newcomers.open_again, connection)
    for key in known:
        if key not in audiences and not key.startswith(OF_ONE):
            now.hub.unsubscribe(connection, key)


def is_still(principal: Principal) -> bool:
    """Whether this request would let the same user in if it came now.

    Asked in contexts of their own: the application's loader, its session store and SQLAlchemy keep what they have read
    for as long as a context lasts.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    # The session as its store has it now. A cookie that holds all of it says what it said before.
    session_anew = nullcontext() if sessions.are_cookies(app) else app.request_context(request.environ)
    with app.app_context(), session_anew:
        try:
            return asking_user_id() == principal.user_id
        except (Unauthorized, Forbidden):
            return False


def asking_user_id() -> str | None:
    """The user of `auth.principal`, without what stays as it is: the origin, and when the session ends."""
    token = auth.given_token()
    if token is not None:
        return auth.admit_token(token).user_id
    ticket = request.args.get(tickets.PARAMETER)
    if ticket is not None:
        return tickets.check(runtime.current(), ticket).user_id
    # The application's own loader, without what flask-login does around it: nearly always that is the answer.
    login_id, load = session.get("_user_id"), current_app.login_manager._user_callback  # type: ignore[attr-defined]
    user = None if login_id is None or load is None else load(login_id)
    if user is None:
        return auth.current_user_id()
    return auth.id_of(user) if user.is_authenticated else None
