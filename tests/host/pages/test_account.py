"""Signing in and out of the host application."""

import html

import pytest
from argon2 import PasswordHasher
from conftest import PASSWORD, Browser

from notiway.host import accounts, passwords
from notiway.values.errors import ConfigError
from notiway.values.event import Event
from notiway.web import auth


def test_signing_in_leads_to_the_dashboard(visitor, user):
    response = visitor.sign_in(user.email)
    assert (response.status_code, response.location) == (303, "/dashboard")
    assert user.name in visitor.get("/dashboard").text


def test_the_spelling_of_the_address_does_not_matter(visitor, user):
    assert visitor.sign_in("  ADA@Example.com ").status_code == 303


@pytest.mark.parametrize(
    ("email", "password"),
    [("ada@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("", ""), ("ada@example.com", ""), ("a\0", "\0")],
)
def test_a_wrong_sign_in_does_not_tell_what_was_wrong(visitor, user, email, password):
    response = visitor.sign_in(email, password)
    assert response.status_code == 401
    assert "do not match" in response.text
    assert visitor.get("/dashboard").status_code == 302


def test_a_deactivated_user_cannot_sign_in_and_is_out_at_once(visitor, browser, user, rows):
    assert browser.get("/dashboard").status_code == 200
    accounts.deactivate(user.id)
    assert browser.get("/dashboard").status_code == 302
    assert visitor.sign_in(user.email).status_code == 401


@pytest.mark.parametrize("wanted", ["/notifications?state=unread", "/n/abc", "/account"])
def test_after_signing_in_the_wanted_page_opens(visitor, user, wanted):
    assert visitor.sign_in(user.email, next=wanted).location == wanted


@pytest.mark.parametrize(
    "evil",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/logout",
        "/login?next=/login",
    ],
)
def test_a_sign_in_never_leads_to_another_site_or_in_a_circle(visitor, user, evil):
    assert visitor.sign_in(user.email, next=evil).location == "/dashboard"
    again = visitor.get("/login", query_string={"next": evil})
    assert (again.status_code, again.location) == (302, "/dashboard")


def test_the_wanted_page_survives_a_wrong_password(visitor, user):
    response = visitor.sign_in(user.email, "wrong", next="/account?a=1&b=2")
    assert 'name="next" value="/account?a=1&amp;b=2"' in response.text


def test_what_was_typed_comes_back_as_text(visitor):
    nasty = '"><script>alert(1)</script>'
    response = visitor.sign_in(nasty)
    assert "<script>alert" not in response.text
    assert html.escape(nasty) in response.text.replace("&#34;", "&quot;")


@pytest.mark.parametrize("path", ["/login", "/logout", "/account/sign-out-everywhere"])
def test_the_hosts_forms_need_a_csrf_token(browser, path):
    response = browser.post(path, csrf=False, data={"email": "ada@example.com", "password": PASSWORD})
    assert response.status_code == 400
    assert "expired" in response.text


def test_the_session_is_a_new_one_after_signing_in(visitor, user):
    visitor.read_token("/login")
    before = visitor.token
    with visitor.client.session_transaction() as session:
        session["planted"] = "by somebody else"
    visitor.sign_in(user.email)
    with visitor.client.session_transaction() as session:
        assert "planted" not in session
    assert visitor.open("POST", "/logout", csrf=False, data={"csrf_token": before}).status_code == 400


def test_too_many_attempts_are_refused_with_a_readable_page_and_a_time_to_wait(make_app, app, user):
    browser = Browser(app)
    for _ in range(10):
        assert browser.sign_in(user.email, "wrong").status_code == 401
    response = browser.sign_in(user.email)
    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 60
    assert "Too many attempts" in response.text
    assert Browser(app).sign_in("bob@example.com", "wrong").status_code == 401, "another address is not locked out"


def test_one_address_cannot_try_one_password_on_every_user(app):
    browser = Browser(app)
    codes = [browser.sign_in(f"user{number}@example.com", "123456").status_code for number in range(61)]
    assert codes == [401] * 60 + [429]


def test_a_rate_that_cannot_be_read_is_named_at_the_start(make_app):
    with pytest.raises(ConfigError, match="NOTIWAY_LOGIN_RATE"):
        make_app(NOTIWAY_LOGIN_RATE="often")


def test_who_knows_the_password_is_not_locked_out_by_signing_in_often(make_app):
    app = make_app(NOTIWAY_LOGIN_RATE="2 per minute")
    with app.app_context():
        accounts.add("eve@example.com", "Eve", passwords.hash_password(PASSWORD))
    assert [Browser(app).sign_in("eve@example.com").status_code for _ in range(14)] == [303] * 14


def test_the_other_addresses_of_one_ipv6_customer_count_as_one(app, user):
    browser = Browser(app)
    browser.read_token("/login")
    data = {"email": user.email, "password": "wrong", "csrf_token": browser.token}
    codes = [
        browser.client.post("/login", data=data, environ_overrides={"REMOTE_ADDR": f"2001:db8::{number}"}).status_code
        for number in range(1, 12)
    ]
    assert codes == [401] * 10 + [429]


def test_an_outdated_hash_is_made_anew_at_sign_in(visitor, user, rows, monkeypatch):
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    _, before = accounts.find_with_hash(user.email)
    assert visitor.sign_in(user.email).status_code == 303
    _, after = accounts.find_with_hash(user.email)
    assert after != before
    assert not passwords.is_outdated(after)


@pytest.fixture
def published(app):
    """The Events that reach the broker."""
    events: list[Event] = []
    broker = app.extensions["notiway"].broker
    publish = broker.publish
    broker.publish = lambda told: (events.extend(told), publish(told))
    return events


def test_signing_out_ends_this_session_and_kicks_its_sockets_only(auth, user, published):
    here, elsewhere = auth(user), auth(user)
    response = here.post("/logout")
    assert (response.status_code, response.location) == (303, "/login")
    (kick,) = [event for event in published if event.kind == "kick"]
    assert kick.audience == f"user:{user.id}"
    assert kick.data["session"]
    assert here.get("/dashboard").status_code == 302
    assert elsewhere.get("/dashboard").status_code == 200


def test_two_sessions_of_one_user_have_different_keys(auth, user, published):
    for browser in (auth(user), auth(user)):
        browser.post("/logout")
    keys = [event.data["session"] for event in published if event.kind == "kick"]
    assert len(set(keys)) == 2


def test_signing_out_everywhere_ends_every_session_and_kicks_every_socket(auth, user, other, published):
    here, elsewhere, another = auth(user), auth(user), auth(other)
    assert here.post("/account/sign-out-everywhere").status_code == 303
    (kick,) = [event for event in published if event.kind == "kick"]
    assert (kick.audience, kick.data["session"]) == (f"user:{user.id}", None)
    assert here.get("/dashboard").status_code == 302
    assert elsewhere.get("/dashboard").status_code == 302
    assert another.get("/dashboard").status_code == 200
    assert auth(user).get("/dashboard").status_code == 200, "one may sign in again"


def test_an_old_cookie_is_worth_nothing_after_signing_out_everywhere(app, auth, user):
    browser = auth(user)
    stolen = browser.client.get_cookie("notiway_session").value
    browser.post("/account/sign-out-everywhere")
    thief = app.test_client()
    thief.set_cookie("notiway_session", stolen)
    assert thief.get("/dashboard").status_code == 302


def test_the_account_page_names_the_user(browser, user):
    page = browser.get("/account").text
    assert user.email in page
    assert "Sign out everywhere" in page


def test_the_demo_users_are_shown_in_development_only(make_app):
    for env, shown in (("development", True), ("production", False)):
        app = make_app(NOTIWAY_ENV=env)
        with app.app_context():
            accounts.add(accounts.DEMO_EMAIL, "Demo", passwords.hash_password(accounts.DEMO_PASSWORD))
        assert (accounts.DEMO_EMAIL in app.test_client().get("/login").text) is shown


@pytest.mark.parametrize("same", [True, False])
def test_signing_in_again_ends_the_session_before(browser, user, other, heard, same):
    with browser.client.session_transaction() as before:
        name = before[auth.SESSION_KEY]
    cookie = browser.client.get_cookie("notiway_session").value
    browser.token = browser.read_token("/account")
    again = user if same else other
    data = {"email": again.email, "password": PASSWORD, "csrf_token": browser.token}
    assert browser.client.post("/login", data=data).status_code == 303
    assert ("user:" + user.id, name) in [(each.audience, each.data["session"]) for each in heard if each.kind == "kick"]
    assert again.name in browser.get("/account").text
    browser.client.set_cookie("notiway_session", cookie)
    assert browser.client.get("/account").status_code == 302
