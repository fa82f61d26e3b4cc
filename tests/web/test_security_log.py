"""Security events: each with a stable name and fields, in a log of its own, without a secret (ASVS 5.0, 16.3)."""

import logging
import time

import pytest
from clients.producer import envelope
from conftest import PASSWORD, Browser

from notiway import security_log
from notiway.gateway import client_tokens
from notiway.gateway.client_tokens import Claims
from notiway.live import runtime
from notiway.store.credentials import api_keys
from notiway.values.audience import Audience
from notiway.verbs import keys, membership

NEW = "unusual words like zwieback"


@pytest.fixture
def noted(caplog):
    """The events so far: name, and the fields that it is about."""
    caplog.set_level(logging.INFO, logger="notiway.security")

    def read(*fields):
        records = [each for each in caplog.records if each.name == "notiway.security"]
        return [(each.event, *(getattr(each, field, None) for field in fields)) for each in records]

    return read


def test_signing_in_and_out_is_noted(noted, visitor, user):
    visitor.sign_in(user.email, "wrong")
    visitor.sign_in("nobody@example.com", "wrong")
    visitor.sign_in(user.email)
    visitor.post("/logout")
    assert noted("user", "address") == [
        ("sign_in_refused", user.id, "127.0.0.1"),
        ("sign_in_refused", None, "127.0.0.1"),
        ("signed_in", user.id, "127.0.0.1"),
        ("signed_out", user.id, "127.0.0.1"),
    ]


def test_too_many_attempts_are_noted(noted, visitor, user):
    for _ in range(11):
        visitor.sign_in(user.email, "wrong")
    assert noted()[-1] == ("sign_in_throttled",)


def test_too_many_wrong_passwords_of_a_session_are_noted(noted, browser, user):
    for _ in range(11):
        browser.post("/account/password", data={"current": "wrong", "new": NEW})
    assert noted("user")[-1] == ("password_change_throttled", user.id)


def test_what_a_user_does_with_the_account_is_noted(noted, browser, auth, user):
    auth(user)
    browser.post("/account/password", data={"current": "wrong", "new": NEW})
    browser.post("/account/password", data={"current": PASSWORD, "new": NEW})
    browser.post("/account/sign-out-everywhere")
    names = [name for name, *_ in noted()]
    assert names[-3:] == ["password_change_refused", "password_changed", "signed_out_everywhere"]
    assert {each for _, each in noted("user")} == {user.id}


def test_what_an_operator_does_with_users_is_noted(noted, notiway, user):
    notiway("user", "add", "eve@example.com", "--password", NEW)
    for words in (
        ("password", user.id, "--password", NEW),
        ("staff", user.id),
        ("deactivate", user.id),
        ("activate", user.id),
    ):
        assert notiway("user", *words).exit_code == 0
    assert [name for name, *_ in noted() if name != "signed_out_everywhere"] == [
        "user_added",
        "password_set",
        "staff_changed",
        "user_deactivated",
        "user_activated",
    ]


def test_keys_and_tokens_are_noted(noted, app, client, notiway, user):
    key = notiway("key", "add", "portal", "--scope", "token").stdout.strip()
    bearer = {"Authorization": f"Bearer {key}"}
    token = client.post("/api/tokens", json={"userId": user.id}, headers=bearer).json["token"]
    client.post("/api/tokens", json={"userId": "nobody"}, headers=bearer)
    client.post("/api/notifications", json={}, headers=bearer)
    client.post("/api/notifications", json={}, headers={"Authorization": "Bearer nw_unknown-key"})
    client.get("/api/notifications", headers={"Authorization": f"Bearer {token}x"})
    with app.app_context():
        keys.revoke("portal")
        key_id = next(api_keys.all_keys()).id
    client.put("/notifications/read-all", headers={"Authorization": f"Bearer {token}"})
    assert noted("key") == [
        ("key_added", key_id),
        ("token_made", key_id),
        ("token_not_made", key_id),
        ("key_refused", key_id),
        ("key_refused", None),
        ("token_refused", None),
        ("key_revoked", key_id),
        ("token_refused", None),
    ]
    claims = client_tokens.read(app.extensions["notiway"].token_secret, token)
    assert ("token_made", claims.token_id) in noted("token")


def test_members_are_noted(noted, app, user):
    with app.app_context():
        membership.join(user.id, Audience.group("admins"))
        membership.leave(user.id, Audience.group("admins"))
    assert noted("user", "audience") == [
        ("member_joined", user.id, "group:admins"),
        ("member_left", user.id, "group:admins"),
    ]


def test_what_is_not_allowed_is_noted(noted, make_app, browser, user):
    browser.get("/staff/send")
    browser.get("/api/notifications", headers={"Origin": "https://evil.example"})
    assert noted("user")[-2:] == [("staff_refused", user.id), ("origin_refused", None)]


def test_what_a_key_or_an_origin_asked_for_in_vain_is_noted_too(noted, make_app, browser, client, notiway):
    key = notiway("key", "add", "shop", "--scope", "publish:user:*").stdout.strip()
    bearer = {"Authorization": f"Bearer {key}"}
    client.post("/api/tokens", json={"userId": "ada"}, headers=bearer)
    client.post("/api/notifications", json=envelope("global", "sale", {}), headers=bearer)
    browser.get("/api/notifications", headers={"Origin": "https://evil.example"})
    assert noted("scope", "audience", "origin", "address")[-3:] == [
        ("key_refused", "token", None, None, "127.0.0.1"),
        ("key_refused", None, "global", None, "127.0.0.1"),
        ("origin_refused", None, None, "https://evil.example", "127.0.0.1"),
    ]


def test_a_user_over_the_rate_is_noted(noted, make_app):
    app = make_app(NOTIWAY_USER_RATE="1 per minute", NOTIWAY_USERS="external")
    with app.app_context():
        token = client_tokens.mint(runtime.current().token_secret, Claims("ada", time.time() + 60))
    for _ in range(2):
        app.test_client().put("/notifications/read-all", headers={"Authorization": f"Bearer {token}"})
    assert noted("user") == [("user_throttled", "ada")]


def test_no_event_holds_a_secret(noted, caplog, app, client, notiway, visitor, user):
    key = notiway("key", "add", "portal", "--scope", "token").stdout.strip()
    token = client.post("/api/tokens", json={"userId": user.id}, headers={"Authorization": f"Bearer {key}"}).json[
        "token"
    ]
    client.get("/api/notifications", headers={"Authorization": f"Bearer {token}x"})
    visitor.sign_in(user.email)
    Browser(app).sign_in(user.email, "swordfish")
    text = " ".join(
        f"{each.getMessage()} {each.__dict__}" for each in caplog.records if each.name == "notiway.security"
    )
    for secret in (key, token, PASSWORD, "swordfish", visitor.client.get_cookie("notiway_session").value):
        assert secret not in text


def test_a_value_cannot_begin_a_line_of_its_own(caplog):
    caplog.set_level(logging.INFO, logger="notiway.security")
    security_log.note("signed_in", user="ada\nsigned_in user=bob", address=None)
    (record,) = caplog.records
    assert "\n" not in record.getMessage()
    assert record.getMessage() == 'signed_in user="ada\\nsigned_in user=bob"'
