"""The account page: one's sessions on other devices, and a new password."""

import re

import pytest
from conftest import PASSWORD, Browser

from notiway.host import accounts, passwords, sessions
from notiway.store.credentials import tokens
from notiway.values.clock import DAY_MS, now_ms

NEW = "unusual words like zwieback"
END = re.compile(r'action="(/account/sessions/[^"]+/end)"')
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Safari/604.1"


def steal(app, browser):
    """Another client with a copy of the session cookie."""
    thief = app.test_client()
    thief.set_cookie("notiway_session", browser.client.get_cookie("notiway_session").value)
    return thief


def sign_in_on(app, user, agent):
    browser = Browser(app)
    browser.client.environ_base["HTTP_USER_AGENT"] = agent
    assert browser.sign_in(user.email).status_code == 303
    return browser


def change(browser, current=PASSWORD, new=NEW, **options):
    return browser.post("/account/password", data={"current": current, "new": new}, **options)


def test_a_copied_cookie_is_worth_nothing_after_sign_out(app, browser):
    thief = steal(app, browser)
    assert thief.get("/account").status_code == 200
    browser.post("/logout")
    assert thief.get("/account").status_code == 302
    assert thief.get("/api/notifications").status_code == 401


def test_signing_in_again_does_not_bring_the_old_session_back(app, browser, auth, user):
    thief = steal(app, browser)
    browser.post("/logout")
    assert browser.sign_in(user.email).status_code == 303
    assert browser.get("/account").status_code == 200
    assert thief.get("/account").status_code == 302


def test_a_session_ends_after_thirty_days_though_it_was_used_all_the_time(app, browser, monkeypatch):
    later = now_ms() + 30 * DAY_MS
    assert browser.get("/account").status_code == 200
    monkeypatch.setattr(sessions, "now_ms", lambda: later - 60_000)
    assert browser.get("/account").status_code == 200
    monkeypatch.setattr(sessions, "now_ms", lambda: later)
    assert browser.get("/account").status_code == 302


def test_the_account_page_lists_devices_and_ends_one_of_them(app, browser, user):
    phone = sign_in_on(app, user, PHONE)
    page = browser.get("/account").text
    assert "Safari on iPhone" in page
    assert "This device" in page
    (path,) = END.findall(page)
    answer = browser.post(path)
    assert (answer.status_code, answer.location) == (303, "/account")
    assert phone.get("/account").status_code == 302
    assert browser.get("/account").status_code == 200
    assert "Safari on iPhone" not in browser.get("/account").text


def test_the_device_that_was_signed_out_loses_its_sockets_and_no_other(app, browser, user, heard):
    sign_in_on(app, user, PHONE)
    (path,) = END.findall(browser.get("/account").text)
    browser.post(path)
    (kick,) = [event for event in heard if event.kind == "kick"]
    assert kick.audience == f"user:{user.id}"
    assert kick.data["session"] == path.split("/")[3]


def test_nobody_ends_a_session_of_somebody_else(app, browser, auth, user, other):
    sign_in_on(app, user, PHONE)
    path = END.findall(browser.get("/account").text)[0]
    assert auth(other).post(path).status_code == 404
    assert "Safari on iPhone" in browser.get("/account").text


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(app, browser, auth, user, heard):
    elsewhere = auth(user)
    answer = change(browser)
    assert (answer.status_code, answer.location) == (303, "/account")
    assert browser.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302
    assert len([event for event in heard if event.kind == "kick"]) == 1
    assert Browser(app).sign_in(user.email).status_code == 401
    assert Browser(app).sign_in(user.email, NEW).status_code == 303


@pytest.mark.parametrize(
    ("current", "new", "reason"),
    [
        ("wrong", NEW, "not your password"),
        ("", NEW, "not your password"),
        (PASSWORD, "short", "at least 12"),
        (PASSWORD, "passwordpassword", "easy to guess"),
        (PASSWORD, "Ada@Example.com", "easy to guess"),
        (PASSWORD, PASSWORD, "the same"),
    ],
)
def test_a_password_is_not_changed_without_the_old_one_or_to_a_weak_one(app, browser, user, current, new, reason):
    answer = change(browser, current, new)
    assert answer.status_code == 422
    assert reason in answer.text
    assert f'value="{new}"' not in answer.text
    wrong = "current" if current != PASSWORD else "new"
    assert re.findall(r'<input id="(\w+)"[^>]*aria-invalid="true"[^>]*password-fault', answer.text) == [wrong]
    assert browser.get("/account/password").location == "/account", "to load the address of the answer leads back"
    assert Browser(app).sign_in(user.email).status_code == 303


def test_the_password_form_lets_managers_fill_it_in(browser):
    page = browser.get("/account").text
    assert 'autocomplete="current-password"' in page
    assert 'autocomplete="new-password"' in page
    assert 'minlength="12"' in page


def test_a_thief_with_a_session_cannot_try_passwords_without_end(make_app):
    app = make_app(NOTIWAY_LOGIN_RATE="3 per minute")
    with app.app_context():
        accounts.add("eve@example.com", "Eve", passwords.hash_password(PASSWORD))
    browser = Browser(app)
    browser.sign_in("eve@example.com")
    assert [change(browser, "wrong").status_code for _ in range(4)] == [422, 422, 422, 429]


def test_every_form_of_the_account_page_needs_its_csrf_token(browser):
    for path in ("/account/password", "/account/sessions/x/end"):
        assert browser.post(path, csrf=False).status_code == 400


def test_who_signed_out_everywhere_while_the_clock_was_ahead_can_sign_in_again(app, browser, auth, user, monkeypatch):
    ahead = now_ms() + 50 * 60_000
    with monkeypatch.context() as wrong_clock:
        for module in (sessions, tokens):
            wrong_clock.setattr(module, "now_ms", lambda: ahead)
        assert browser.post("/account/sign-out-everywhere").status_code == 303
    again = auth(user)
    assert again.get("/account").status_code == 200


def test_what_a_page_does_by_itself_is_not_the_last_activity_of_a_device(app, browser, user, monkeypatch):
    def last_activity():
        with app.app_context():
            return sessions.of_user(user.id)[0].seen_at

    before = last_activity()
    later = now_ms() + 60 * 60_000
    monkeypatch.setattr(sessions, "now_ms", lambda: later)
    browser.get("/notifications/recent", form="htmx", headers={"X-Notiway-Background": "1"})
    assert last_activity() == before
    browser.get("/account").close()  # it is noted once the answer is out
    assert last_activity() == later
