"""The host application: its cookie, its proxies and its defaults."""

from datetime import timedelta

import pytest
from conftest import Browser
from flask import request
from flask_limiter import Limiter
from servers import free_port, redis_server
from werkzeug.http import parse_cookie

from notiway.host.app import MIGRATIONS
from notiway.live.broker.redis_client import open_client
from notiway.store import schema
from notiway.values.config import Config


def test_the_group_is_open_in_this_application_and_a_setting_closes_it(app, make_app, monkeypatch):
    assert app.extensions["notiway"].config.open_groups == ("dashboard-ops",)
    monkeypatch.setenv("NOTIWAY_OPEN_GROUPS", "")
    assert make_app().extensions["notiway"].config.open_groups == ()
    assert Config.load({}, {}).open_groups == ()


def cookie_of(response):
    (cookie,) = [line for line in response.headers.getlist("Set-Cookie") if line.startswith("notiway_session=")]
    return cookie


def test_the_session_cookie_is_out_of_reach_for_scripts_and_other_sites(visitor, user):
    cookie = cookie_of(visitor.sign_in(user.email))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_behind_tls_the_session_cookie_is_secure_and_the_site_says_https_only(visitor):
    response = visitor.client.get("/login", base_url="https://localhost")
    assert "Secure" in cookie_of(response)
    assert "max-age=" in response.headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in visitor.client.get("/login").headers


@pytest.mark.parametrize(("proxies", "secure"), [(0, False), (1, True)])
def test_only_a_trusted_proxy_may_say_that_there_is_tls(make_app, proxies, secure):
    client = make_app(NOTIWAY_TRUSTED_PROXIES=proxies).test_client()
    response = client.get("/login", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"})
    assert ("Secure" in cookie_of(response)) is secure
    assert "evil.example" not in response.text


@pytest.mark.parametrize("proxies", [0, 1])
def test_no_proxy_says_which_host_this_is(make_app, proxies):
    app = make_app(NOTIWAY_TRUSTED_PROXIES=proxies)
    app.add_url_rule("/host", view_func=lambda: request.host)
    assert app.test_client().get("/host", headers={"X-Forwarded-Host": "evil.example"}).text == "localhost"


def test_the_session_lives_two_weeks_from_the_last_page(app, visitor, user):
    assert app.permanent_session_lifetime == timedelta(days=14)
    assert "Expires=" in cookie_of(visitor.sign_in(user.email))
    assert parse_cookie(cookie_of(visitor.sign_in(user.email)))["notiway_session"]


def test_a_new_key_ends_every_session_unless_the_old_one_is_a_fallback(app, browser):
    """In a running application too: what is made of the key is kept between requests."""
    assert browser.get("/account").status_code == 200
    app.secret_key, old = "another", app.secret_key
    assert browser.get("/account").status_code == 302
    app.config["SECRET_KEY_FALLBACKS"] = [old]
    assert browser.get("/account").status_code == 200


def test_only_the_sign_in_is_counted_against_its_limit(make_app):
    browser = Browser(make_app(NOTIWAY_LOGIN_RATE="2 per minute"))
    assert {browser.get("/login").status_code for _ in range(20)} == {200}
    assert {browser.get("/no-such-page").status_code for _ in range(20)} == {404}
    assert [browser.sign_in("ada@example.com").status_code for _ in range(3)] == [401, 401, 429]


def test_what_is_given_goes_before_the_environment(make_app, monkeypatch):
    monkeypatch.setenv("NOTIWAY_QUEUE_LIMIT", "70000")
    assert make_app().extensions["notiway"].config.queue_limit == 70_000
    assert make_app(NOTIWAY_QUEUE_LIMIT=80_000).extensions["notiway"].config.queue_limit == 80_000


def test_the_hosts_tables_come_after_the_librarys(app):
    assert app.extensions["notiway"].migrations == (schema.OWN, MIGRATIONS)


def test_a_page_without_a_limit_costs_no_look_at_any(client, monkeypatch):
    looked = []
    monkeypatch.setattr(Limiter, "_check_request_limit", lambda *given: looked.append(given))
    client.get("/no-such-page")
    assert looked == []
    client.get("/login")
    assert looked == [], "only the form that is sent has one"


PARAMETERS = (
    "access_token", "answer", "before", "changes", "connection", "format", "id", "lastEventId", "limit",
    "negotiateVersion", "next", "priority", "q", "since", "source", "state", "tenant", "to", "type",
)  # fmt: skip
ODD = ["%00", "a:b", "x" * 300, "9" * 300]


@pytest.mark.parametrize("odd", ODD)
def test_no_odd_query_breaks_a_page(app, staff, odd):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments]
    paths = [rule.rule for rule in rules if "static" not in rule.endpoint]
    broken = [
        f"{path}?{name}"
        for path in paths
        for name in PARAMETERS
        if staff.get(f"{path}?{name}={odd}").status_code == 500
    ]
    assert "/dashboard/numbers" in paths
    assert broken == []


# Several processes


@pytest.fixture(scope="module")
def redis_url():
    with redis_server() as url:
        yield url


def wrong_passwords(app, count):
    visitor = Browser(app)
    return [visitor.sign_in("ada@example.com", "wrong").status_code for _ in range(count)]


@pytest.mark.redis
def test_attempts_to_sign_in_are_counted_over_all_processes(make_app, redis_url):
    shared = {"NOTIWAY_BROKER_URL": redis_url, "NOTIWAY_LOGIN_RATE": "4 per minute"}
    first, second = make_app(**shared), make_app(**shared)
    assert 429 not in wrong_passwords(first, 2) + wrong_passwords(second, 2)
    assert wrong_passwords(first, 1) == wrong_passwords(second, 1) == [429]
    keys = open_client(redis_url).keys("*")
    assert keys
    assert [key for key in keys if not key.startswith(b"notiway:")] == []


def test_while_redis_is_away_each_process_counts_attempts_by_itself(make_app):
    app = make_app(NOTIWAY_BROKER_URL=f"redis://127.0.0.1:{free_port()}", NOTIWAY_LOGIN_RATE="4 per minute")
    answers = wrong_passwords(app, 5)
    assert 429 not in answers[:4]
    assert answers[4] == 429
