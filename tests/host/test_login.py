"""Login: whom flask-login lets in: active users, in sessions that nobody has ended."""

from __future__ import annotations

import flask_login
import pytest
from flask import request
from web.sockets.conftest import UPGRADE

from notiway.host import accounts, login, sessions
from notiway.store.database import db
from notiway.web import auth as web_auth
from notiway.web.sessions import BACKGROUND_HEADER


def name_of_session(browser):
    with browser.client.session_transaction() as session:
        return session[web_auth.SESSION_KEY]


def test_signed_in_is_let_in(browser):
    assert browser.client.get("/account").status_code == 200


def test_a_session_that_was_ended_elsewhere_lets_nobody_in(app, browser, user):
    with app.app_context(), db.connection_context():
        sessions.end(user.get_id(), name_of_session(browser))
    assert browser.client.get("/account").status_code in (302, 303, 401)


def test_the_other_sessions_of_the_user_stay(app, auth, user):
    one, two = auth(user), auth(user)
    assert name_of_session(one) != name_of_session(two)
    with app.app_context(), db.connection_context():
        sessions.end(user.get_id(), name_of_session(one))
    assert two.client.get("/account").status_code == 200


def test_the_loader_finds_others_by_id_without_a_session(app, user):
    with app.test_request_context(), db.connection_context():
        found = app.login_manager._user_callback(user.get_id())
        assert found is not None
        assert found.get_id() == accounts.find(user.get_id()).get_id()
        assert app.login_manager._user_callback("nobody") is None


@pytest.fixture
def last_seen(app, browser):
    """When the user's session was last seen; it was long ago."""
    with app.app_context(), db.connection_context():
        sessions.note_seen(name_of_session(browser), 1)

    def look():
        with app.app_context(), db.connection_context():
            return db.execute_sql("SELECT seen_at FROM notiway_session").fetchall()[0][0]

    return look


def test_a_page_that_a_person_opens_is_activity(browser, last_seen):
    answer = browser.get("/account", buffered=True)
    assert last_seen() > 1
    assert "notiway_session=" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("HEAD", "/api/notifications/stream", {}),
        ("GET", "/api/notifications/stream", {}),  # refused here: this server lends no socket
        ("GET", "/api/notifications/stream", {"Origin": "https://evil.test"}),
        ("GET", "/api/notifications/stream", {"Authorization": "Bearer no-token"}),
        ("POST", "/hub/negotiate", {}),
        ("POST", "/hub/negotiate", {"Authorization": "Bearer no-token"}),
        ("GET", "/api/notifications?since=", {}),
        ("GET", "/healthz", {}),
        ("GET", "/readyz", {}),
        ("GET", "/metrics", {}),
        ("GET", "/notiway/static/notiway/js/bell.js", {}),
        ("POST", "/notifications/seen", {BACKGROUND_HEADER: "1"}),
        ("GET", "/notifications/recent", {BACKGROUND_HEADER: "1"}),
        ("GET", "/notifications", {BACKGROUND_HEADER: "1"}),
    ],
)
def test_what_happens_by_itself_is_no_activity(browser, last_seen, method, path, headers):
    answer = browser.open(method, path, headers=headers, buffered=True)
    assert answer.status_code != 404
    assert last_seen() == 1
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/hub", "/ws/notifications", "/ws/notifications?format=html"])
def test_a_socket_that_opens_is_no_activity(app, browser, last_seen, path):
    cookie = {"Cookie": f"notiway_session={browser.client.get_cookie('notiway_session').value}"}
    with app.test_request_context(path, headers=UPGRADE | cookie):
        assert app.preprocess_request() is None
        assert flask_login.current_user.is_authenticated
        assert login.UNNOTED not in request.environ
