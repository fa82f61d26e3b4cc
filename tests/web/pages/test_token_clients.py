"""The paths of CONTRACT §2 with a client token: no session, no CSRF token, always JSON."""

import time

import pytest
from conftest import JSON, Browser, state_of

from notiway.gateway import client_tokens
from notiway.gateway.client_tokens import Claims
from notiway.host import accounts
from notiway.live import runtime
from notiway.store import inbox


@pytest.fixture
def token(app):
    """Makes client tokens: `token(user)`."""

    def make(account, ttl=60):
        with app.app_context():
            return client_tokens.mint(runtime.current().token_secret, Claims(account.id, time.time() + ttl))

    return make


@pytest.fixture
def call(client, token, user):
    """Calls as a client of `user` that has nothing but a token."""

    def request(method, path, given=None, **options):
        headers = {"Authorization": f"Bearer {given or token(user)}"} | options.pop("headers", {})
        return client.open(path, method=method, headers=headers, **options)

    return request


CHANGES = [
    ("PUT", "/notifications/{id}/read", "read"),
    ("POST", "/notifications/{id}/read", "read"),
    ("DELETE", "/notifications/{id}/read", "unread"),
    ("DELETE", "/notifications/{id}", "deleted"),
    ("POST", "/notifications/{id}/restore", "restored"),
    ("PUT", "/notifications/read-all", "read"),
    ("POST", "/notifications/seen", "seen"),
    ("POST", "/notifications/bulk", "read"),
]


@pytest.mark.parametrize(("method", "path", "done"), CHANGES)
def test_a_token_changes_items_without_a_csrf_token(call, user, send, rows, method, path, done):
    sent = send(user).id
    if done == "restored":
        assert call("DELETE", f"/notifications/{sent}").status_code == 200
    elif done == "unread":
        assert call("PUT", f"/notifications/{sent}/read").status_code == 200
    body = {"seen": {"ids": [sent]}, "read": {"ids": [sent], "action": "read"}}.get(done) if "{" not in path else None
    answer = call(method, path.format(id=sent), **({"json": body} if body else {}))
    assert (answer.status_code, answer.is_json) == (200, True)
    assert answer.json["unreadCount"] == inbox.unread_count(user.id)
    seen, read, deleted = state_of(user, sent)
    found = {"seen": seen, "read": read, "unread": not read, "deleted": deleted, "restored": not deleted}[done]
    assert found


@pytest.mark.parametrize("path", ["/notifications", "/notifications/recent"])
def test_a_token_lists_what_its_user_has(call, user, other, send, path):
    send(user, "Mine")
    send(other, "Theirs")
    answer = call("GET", path)
    assert answer.is_json
    assert [each["title"] for each in answer.json["notifications"]] == ["Mine"]
    assert answer.json["unreadCount"] == 1


def test_a_token_of_one_user_reaches_nothing_of_another(call, user, other, send, rows):
    theirs = send(other).id
    for method, path, _ in CHANGES[:5]:
        assert call(method, path.format(id=theirs)).status_code == 404
    assert state_of(other, theirs) == (None, None, None)


def test_the_token_says_who_asks_though_somebody_else_is_signed_in(app, auth, user, other, token, send, rows):
    browser, mine = auth(other), send(user).id
    headers = {"Authorization": f"Bearer {token(user)}"}
    answer = browser.put(f"/notifications/{mine}/read", csrf=False, headers=headers)
    assert (answer.status_code, answer.is_json) == (200, True)
    assert state_of(user, mine)[1]


def test_a_bad_token_is_refused_though_the_session_is_good(browser, user, send, rows):
    mine = send(user).id
    answer = browser.put(f"/notifications/{mine}/read", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    assert answer.json["error"]["code"] == "Unauthorized"
    assert "token" in answer.json["error"]["message"]
    assert state_of(user, mine) == (None, None, None)


def test_a_token_in_the_address_does_not_replace_the_csrf_token(browser, token, user, send, rows):
    mine = send(user).id
    answer = browser.put(f"/notifications/{mine}/read?access_token={token(user)}", form="json", csrf=False)
    assert answer.status_code in (400, 403)
    assert state_of(user, mine) == (None, None, None)


@pytest.mark.parametrize("scheme", ["Basic dTpw", "Bearer", "Bearer  ", "Digest x"])
def test_another_authorization_header_does_not_replace_the_csrf_token(browser, user, send, rows, scheme):
    mine = send(user).id
    answer = browser.put(f"/notifications/{mine}/read", form="json", csrf=False, headers={"Authorization": scheme})
    assert answer.status_code in (400, 403)
    assert state_of(user, mine) == (None, None, None)


def test_the_token_of_a_deactivated_user_changes_nothing(app, call, token, user, send, rows):
    mine, given = send(user).id, token(user)
    accounts.deactivate(user.id)
    assert call("PUT", f"/notifications/{mine}/read", given).status_code == 401
    assert call("GET", "/api/notifications", given).status_code == 401
    assert state_of(user, mine) == (None, None, None)


def test_a_token_opens_neither_the_staff_pages_nor_the_hosts_own(app, client, staff_member, token):
    headers = {"Authorization": f"Bearer {token(staff_member)}"} | JSON
    assert client.get("/staff/send", headers=headers).status_code == 401
    assert client.get("/account", headers={"Authorization": headers["Authorization"]}).status_code == 302
    sent = client.post("/notifications/send", json={"title": "Hi"}, headers=headers)
    assert sent.status_code in (400, 401)


def test_the_pages_of_an_allowed_origin_may_change_items_with_a_token_and_never_with_a_cookie(make_app):
    app = make_app(NOTIWAY_ALLOWED_ORIGINS="https://app.example.com")
    asked = {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization",
    }
    for origin, allowed in (("https://app.example.com", True), ("https://evil.example", False)):
        answer = app.test_client().options("/notifications/x/read", headers=asked | {"Origin": origin})
        assert answer.status_code == 200
        assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is allowed
        assert ("PUT" in answer.headers.get("Access-Control-Allow-Methods", "")) is allowed
        assert ("Authorization" in answer.headers.get("Access-Control-Allow-Headers", "")) is allowed
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_cookie_still_needs_its_csrf_token(app, user, send, rows):
    browser, mine = Browser(app), send(user).id
    browser.sign_in(user.email)
    assert browser.put(f"/notifications/{mine}/read", form="json", csrf=False).status_code in (400, 403)
    assert browser.put(f"/notifications/{mine}/read", form="json").status_code == 200
