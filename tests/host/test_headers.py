"""Headers: every answer tells the browser what to refuse."""

import re

import pytest

from notiway.host.headers import ALWAYS, ONE_YEAR
from notiway.live.carriers.websocket import UPGRADE_FLAG

PAGES = ("/login", "/dashboard", "/account", "/notifications", "/no-such-page")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_carries_the_csrf_token_and_refuses_foreign_code(browser, visitor, path):
    response = (visitor if path == "/login" else browser).get(path)
    assert re.search(r'<meta name="csrf-token" content="[^"]+">', response.text)
    policy = response.headers["Content-Security-Policy"]
    for rule in (
        "default-src 'self'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
        "base-uri 'none'",
    ):
        assert rule in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)", response.text)
    assert "<style" not in response.text
    assert not re.search(r"<[^>]+\s(style|on\w+)=", response.text)


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/login"])
def test_every_page_of_a_user_has_a_button_to_sign_out(browser, path):
    form = re.search(r'<form class="sign-out" action="/logout" method="post">.*?</form>', browser.get(path).text, re.S)
    assert re.search(r"<button[^>]*>\s*Sign out", form[0])


def test_static_files_may_be_kept_by_the_browser(visitor):
    with visitor.get("/static/host/css/theme.css") as response:
        assert response.status_code == 200
        assert response.headers.get("Cache-Control") != "no-store"


def test_only_an_answer_over_tls_says_https_only(client):
    assert "Strict-Transport-Security" not in client.get("/login").headers
    secure = client.get("/login", base_url="https://localhost").headers["Strict-Transport-Security"]
    assert secure == f"max-age={ONE_YEAR}"


def test_a_view_that_sets_a_header_itself_keeps_it(app):
    own = {"Content-Security-Policy": "default-src 'none'", "Cache-Control": "max-age=60"}
    app.add_url_rule("/own", view_func=lambda: ("", 200, own))
    headers = app.test_client().get("/own").headers
    assert {name: headers[name] for name in own} == own
    assert headers["X-Frame-Options"] == "DENY"


def test_a_page_is_never_taken_for_that_of_another_user_or_form(browser):
    assert {"Cookie", "Accept", "HX-Request"} <= set(browser.get("/dashboard").vary)


def test_what_a_handshake_has_answered_is_left_alone(app):
    app.add_url_rule("/upgraded", view_func=lambda: "")
    answer = app.test_client().get("/upgraded", environ_overrides={UPGRADE_FLAG: True})
    assert not set(ALWAYS) & set(answer.headers.keys())
