"""Other origins: only those that the configuration allows may read answers."""

from __future__ import annotations

import pytest
from flask import Response

from notiway.web.cross_origin import allow, allow_tokens

ALLOWED = "https://app.example"
ORIGIN, COOKIES = "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"


@pytest.fixture
def app(make_app):
    return make_app(NOTIWAY_ALLOWED_ORIGINS=ALLOWED)


def answer(app, how, origin=None):
    with app.test_request_context("/hub", headers={"Origin": origin} if origin else {}):
        return how(Response()).headers


def test_an_allowed_origin_may_read_with_a_cookie(app):
    headers = answer(app, allow, ALLOWED)
    assert headers[ORIGIN] == ALLOWED
    assert headers[COOKIES] == "true"


def test_where_only_tokens_are_allowed_no_cookie_is(app):
    headers = answer(app, allow_tokens, ALLOWED)
    assert headers[ORIGIN] == ALLOWED
    assert COOKIES not in headers


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", f"{ALLOWED}.evil.example", "http://app.example"]
)
@pytest.mark.parametrize("how", [allow, allow_tokens])
def test_any_other_origin_may_not(app, how, origin):
    headers = answer(app, how, origin)
    assert ORIGIN not in headers
    assert COOKIES not in headers


def test_a_cache_keeps_the_answers_to_two_origins_apart(app):
    assert "Origin" in answer(app, allow)["Vary"]
