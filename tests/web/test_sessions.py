"""Sessions: what a page does by itself is no activity."""

import time
from datetime import timedelta

import flask_login
import pytest
from flask import Flask, session
from flask.sessions import SecureCookieSession, SessionInterface

from notiway.web.sessions import BACKGROUND_HEADER, SESSION_END, QuietSessions, ends_at


def signed(app, values, at):
    """A session cookie that was signed at that second."""
    serializer = app.session_interface.get_signing_serializer(app)
    maker = serializer.make_signer

    def make_signer(*args, **options):
        signer = maker(*args, **options)
        signer.get_timestamp = lambda: at
        return signer

    serializer.make_signer = make_signer
    try:
        return serializer.dumps(values)
    finally:
        serializer.make_signer = maker


@pytest.fixture
def site():
    app = Flask("sessions")
    app.secret_key = "a secret of the tests, of more than 32 bytes"
    app.permanent_session_lifetime = timedelta(minutes=30)
    app.session_interface = QuietSessions(app.session_interface)

    @app.get("/")
    def page():
        session.permanent = True
        session["seen"] = session.get("seen", 0) + 1
        return str(session["seen"])

    return app.test_client()


def test_a_page_that_a_person_opens_extends_the_login(site):
    assert "session=" in site.get("/").headers["Set-Cookie"]
    assert "session=" in site.get("/").headers["Set-Cookie"]
    assert site.get("/").text == "3"


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {BACKGROUND_HEADER: "1"}},
        {"headers": {BACKGROUND_HEADER: ""}},
    ],
)
def test_what_a_page_does_by_itself_reads_the_session_and_never_saves_it(site, options):
    site.get("/")
    for _ in range(2):
        answer = site.get("/", **options)
        assert "Set-Cookie" not in answer.headers
        assert answer.text == "2"


@pytest.mark.parametrize("who", [{}, {"_user_id": "7"}], ids=["nobody", "somebody"])
def test_a_session_ends_when_its_cookie_does_not_a_lifetime_from_now(site, who):
    site.get("/")
    app = site.application
    signed_at = int(time.time()) - 600
    cookie = signed(app, {"_permanent": True, **who}, signed_at)
    with app.test_request_context(headers={"Cookie": f"session={cookie}"}):
        assert ends_at() == signed_at + 30 * 60 + 1, "the last second in which the cookie is good"


@pytest.mark.parametrize("cookie", ["x", "a.b.c", "..", "a.%.c"])
def test_what_a_bad_cookie_says_of_its_moment_is_not_believed(site, cookie):
    """Somebody may be signed in by other means than the cookie."""
    with site.application.test_request_context(headers={"Cookie": f"session={cookie}"}):
        session["_user_id"] = "7"
        assert ends_at() is None


def test_a_session_that_says_when_it_ends_at_the_latest_ends_then(site):
    app = site.application
    now = int(time.time())
    cookie = signed(app, {"_permanent": True, SESSION_END: now + 60.5}, now)
    with app.test_request_context(headers={"Cookie": f"session={cookie}"}):
        assert ends_at() == now + 60.5


def test_a_session_kept_by_the_server_ends_a_lifetime_from_now():
    class OnTheServer(SessionInterface):
        def open_session(self, app, request):
            return SecureCookieSession({"_permanent": True})

    app = Flask("sessions")
    app.session_interface = QuietSessions(OnTheServer())
    with app.test_request_context():
        assert abs(ends_at() - time.time() - app.permanent_session_lifetime.total_seconds()) < 60


def test_who_is_remembered_has_no_end(site):
    app = site.application
    flask_login.LoginManager(app)
    with app.test_request_context():
        remembered = flask_login.encode_cookie("7")
    cookie = signed(app, {"_permanent": True}, int(time.time()))
    with app.test_request_context(headers={"Cookie": f"session={cookie}; remember_token={remembered}"}):
        assert ends_at() is None
    with app.test_request_context(headers={"Cookie": f"session={cookie}; remember_token=forged|0"}):
        assert ends_at() is not None


def test_a_background_request_does_not_refresh_what_remembers_a_user(site):
    app = site.application
    app.config["REMEMBER_COOKIE_REFRESH_EACH_REQUEST"] = True
    login = flask_login.LoginManager(app)
    login.user_loader(lambda user_id: flask_login.UserMixin())
    site.set_cookie("session", signed(app, {"_user_id": "7", "_fresh": True}, int(time.time())))
    answer = site.get("/", headers={BACKGROUND_HEADER: "1"})
    assert answer.headers.getlist("Set-Cookie") == []
    assert any("remember_token=7|" in each for each in site.get("/").headers.getlist("Set-Cookie"))


def test_a_saved_session_is_told_of_and_a_background_request_saves_none(site):
    told = []
    site.application.session_interface.on_saved = lambda: told.append(1)
    site.get("/")
    assert told == [1]
    site.get("/", headers={BACKGROUND_HEADER: "1"})
    assert told == [1]


def test_everything_else_is_the_applications_own_session_interface():
    class Own(type(Flask("own").session_interface)):
        salt = "own"

        def get_cookie_name(self, app):
            return "own-name"

    quiet = QuietSessions(Own())
    assert quiet.salt == "own"
    assert quiet.get_cookie_name(Flask("own")) == "own-name"
    assert quiet.is_null_session(quiet.inner.make_null_session(Flask("own")))
