"""The ticket's route: for the signed-in page with its CSRF token, and never a sign of activity."""

import pytest
from conftest import PASSWORD, Browser

from notiway.gateway import tickets
from notiway.host import accounts, passwords
from notiway.live import runtime

PATH = "/notifications/ticket"


def test_a_page_gets_one_for_its_user_and_session(app, user, browser):
    browser.get("/notifications")
    answer = browser.post(PATH, form="json", headers={"Origin": "http://localhost"})
    assert answer.status_code == 200
    assert answer.json["expiresIn"] == 30
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    with app.app_context():
        holder = tickets.spend(runtime.current(), answer.json["ticket"], "http://localhost")
    assert holder.user_id == str(user.id)
    assert holder.session
    assert holder.ends_at is not None


@pytest.mark.parametrize(
    ("options", "status"),
    [({"csrf": False}, 400), ({"headers": {"Origin": "https://evil.example.com"}}, 403)],
)
def test_another_site_gets_none(browser, options, status):
    answer = browser.post(PATH, form="json", **options)
    assert answer.status_code in (status, 403)
    assert "ticket" not in (answer.json or {})


def test_nobody_gets_none(app):
    client = app.test_client()
    assert client.post(PATH).status_code in (400, 401, 403)


@pytest.mark.parametrize("live_url", ["", "https://live.example.com"])
def test_the_bell_opens_its_line_where_the_setting_says(make_app, live_url):
    app = make_app(NOTIWAY_LIVE_URL=live_url)
    with app.app_context():
        accounts.add("eve@example.com", "Eve", passwords.hash_password(PASSWORD))
    browser = Browser(app)
    assert browser.sign_in("eve@example.com").status_code == 303
    page = browser.get("/notifications")
    assert f'hx-ws:connect="{live_url}/ws/notifications?' in page.text
    assert ("data-notiway-ticket" in page.text) is bool(live_url)
    policy = page.headers["Content-Security-Policy"]
    assert ("connect-src 'self' https://live.example.com wss://live.example.com;" in policy) is bool(live_url)
