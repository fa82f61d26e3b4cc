"""Sessions: what a page does by itself is no activity."""

from datetime import timedelta

import pytest
from flask import Flask, session

from notiway.web.sessions import BACKGROUND_FLAG, BACKGROUND_HEADER, QuietSessions


@pytest.fixture
def site():
    app = Flask("sessions")
    app.secret_key = "test"
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
        {"environ_overrides": {BACKGROUND_FLAG: True}},
    ],
)
def test_what_a_page_does_by_itself_reads_the_session_and_never_saves_it(site, options):
    site.get("/")
    for _ in range(2):
        answer = site.get("/", **options)
        assert "Set-Cookie" not in answer.headers
        assert answer.text == "2"


def test_everything_else_is_the_applications_own_session_interface():
    class Own(type(Flask("own").session_interface)):
        salt = "own"

        def get_cookie_name(self, app):
            return "own-name"

    quiet = QuietSessions(Own())
    assert quiet.salt == "own"
    assert quiet.get_cookie_name(Flask("own")) == "own-name"
    assert quiet.is_null_session(quiet.inner.make_null_session(Flask("own")))
