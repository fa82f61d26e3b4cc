"""What one user changes or sends over HTTP has a rate, in every form of the answer."""

import time

import pytest
from conftest import FORMS, Browser

from notiway.gateway import client_tokens
from notiway.gateway.client_tokens import Claims
from notiway.host import accounts, passwords
from notiway.live import runtime
from notiway.values.errors import ConfigError

PASSWORD = "correct horse battery staple"


@pytest.fixture
def app(make_app):
    return make_app(NOTIWAY_USER_RATE="3 per minute")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/notifications/read-all"), ("POST", "/notifications/send"), ("POST", "/staff/preview")],
)
def test_one_too_many_is_refused_with_a_time_to_wait(app, auth, staff_member, method, path, form):
    browser = auth(staff_member)
    for _ in range(3):
        assert browser.open(method, path, form=form, data={"title": "Hi"}).status_code != 429
    answer = browser.open(method, path, form=form, data={"title": "Hi"})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    if form == "json":
        assert answer.json["error"]["code"] == "Throttled"


def test_reading_costs_nothing_and_another_user_has_a_rate_of_their_own(auth, user, other):
    browser = auth(user)
    for _ in range(4):
        browser.put("/notifications/read-all", form="json")
        assert browser.get("/notifications").status_code == 200
    assert browser.put("/notifications/read-all", form="json").status_code == 429
    assert auth(other).put("/notifications/read-all", form="json").status_code == 200


def test_a_token_and_a_session_of_one_user_share_the_rate(app, auth, user):
    browser = auth(user)
    with app.app_context():
        token = client_tokens.mint(runtime.current().token_secret, Claims(user.id, time.time() + 60))
    for _ in range(3):
        assert browser.put("/notifications/read-all", form="json").status_code == 200
    answer = app.test_client().put("/notifications/read-all", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 429


def test_a_rate_that_is_none_is_named_at_the_start(make_app):
    with pytest.raises(ConfigError, match="NOTIWAY_USER_RATE"):
        make_app(NOTIWAY_USER_RATE="often")


# Sign-in: one account, many addresses


def attempt(app, email, password, number, browser=None):
    browser = browser or Browser(app)
    browser.read_token("/login")
    data = {"email": email, "password": password, "csrf_token": browser.token}
    address = {"REMOTE_ADDR": f"10.0.{number // 250}.{number % 250 + 1}"}
    return browser.client.post("/login", data=data, environ_overrides=address)


def test_guesses_at_one_account_are_bounded_over_all_addresses_and_lock_nobody_out_who_was_here_before(make_app):
    app = make_app()
    with app.app_context():
        accounts.add("eve@example.com", "Eve", passwords.hash_password(PASSWORD))
    known = Browser(app)
    assert known.sign_in("eve@example.com").status_code == 303
    known.post("/logout")
    codes = [attempt(app, "eve@example.com", "wrong", number).status_code for number in range(101)]
    assert codes == [401] * 100 + [429]
    assert attempt(app, "eve@example.com", PASSWORD, 200).status_code == 429, "a stranger, whatever the password"
    assert attempt(app, "ann@example.com", "wrong", 201).status_code == 401, "another account"
    assert attempt(app, "eve@example.com", PASSWORD, 202, known).status_code == 303, "a browser that was here before"


def test_a_browser_that_was_here_before_has_no_more_guesses_than_others_of_its_address(make_app):
    app = make_app()
    with app.app_context():
        accounts.add("eve@example.com", "Eve", passwords.hash_password(PASSWORD))
    known = Browser(app)
    known.sign_in("eve@example.com")
    known.post("/logout")
    codes = [attempt(app, "eve@example.com", "wrong", 7, known).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]


def test_what_makes_a_browser_known_is_signed_out_of_reach_and_for_one_account(make_app):
    app = make_app()
    browser = Browser(app)
    with app.app_context():
        accounts.add("eve@example.com", "Eve", passwords.hash_password(PASSWORD))
    browser.read_token("/login")
    data = {"email": "eve@example.com", "password": PASSWORD, "csrf_token": browser.token}
    answer = browser.client.post("/login", data=data)
    (cookie,) = [line for line in answer.headers.getlist("Set-Cookie") if line.startswith("notiway_device=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "eve@example.com" not in cookie
