"""Login: whom flask-login lets in: active users, in sessions that nobody has ended."""

from __future__ import annotations

from notiway.host import accounts, sessions
from notiway.store.database import db
from notiway.web import auth as web_auth


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
