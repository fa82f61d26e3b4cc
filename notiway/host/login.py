"""Login: flask-login as the host uses it: active users, in sessions that nobody has ended."""

from __future__ import annotations

import logging

import peewee
from flask import Flask, Response, current_app, request, session
from flask_login import LoginManager

from notiway.host import accounts, sessions
from notiway.host.accounts import Account
from notiway.web import auth
from notiway.web.sessions import SESSION_END, is_background

log = logging.getLogger(__name__)

UNNOTED = "notiway.host.unnoted"  # in the WSGI environ: the session whose activity is still to be noted


def set_up(app: Flask) -> None:
    """Let flask-login know this application's users and their sessions."""
    manager = LoginManager()
    manager.login_view = "account.login"
    manager.login_message = None  # the page that opens says it
    manager.session_protection = None  # a phone changes its address all day; the cookie is signed
    manager.user_loader(_load)
    manager.init_app(app)
    auth.session_began.connect(_began, app, weak=False)
    auth.session_ended.connect(_ended, app, weak=False)
    app.after_request(_note_activity)


def _load(user_id: str) -> Account | None:
    if session.get("_user_id") != user_id:
        return accounts.find(user_id)  # asked about somebody, by a command or for a token
    name = session.get(auth.SESSION_KEY)
    found = sessions.find_user(user_id, name)
    if found is None:
        return None
    user, seen_at = found
    if not sessions.is_seen_lately(seen_at) and not is_background():
        request.environ[UNNOTED] = name
    return user


def _began(_sender: Flask, user: Account, name: str) -> None:
    agent = request.headers.get("User-Agent", "")
    session[SESSION_END] = sessions.begin(user.get_id(), name, request.remote_addr or "", agent) / 1000


def _ended(_sender: Flask, user: Account, name: str) -> None:
    sessions.end(user.get_id(), name)


def _note_activity(response: Response) -> Response:
    """After the answer, which need not wait for the database's one writer."""
    name = request.environ.get(UNNOTED)
    if name is not None:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

        def note() -> None:
            try:
                with app.app_context():
                    sessions.note_seen(name)
            except peewee.PeeweeException as error:
                log.warning("the last activity of a session was not noted: %s", error)

        response.call_on_close(note)
    return response
