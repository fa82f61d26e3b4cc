"""Client tokens: what they say, who may sign them, and what may be asked for."""

import time

import jwt
import pytest

from notiway.gateway import client_tokens
from notiway.gateway.client_tokens import MAX_TTL_SECONDS, Claims, check_request, derive_secret, mint, read
from notiway.values.errors import Unauthorized, WrongInput

SECRET = "s" * 32
OTHER = "o" * 32


def payload(**changes):
    return {"sub": "42", "exp": int(time.time()) + 60} | changes


def test_what_is_minted_is_read():
    ends_at = float(int(time.time()) + 60)
    claims = Claims("42", ends_at, "acme", ("group:acme:ops", "tenant:acme"))
    assert read(SECRET, mint(SECRET, claims)) == claims
    assert read(SECRET, mint(SECRET, Claims("42", ends_at))) == Claims("42", ends_at)


def test_any_backend_with_the_secret_may_mint():
    foreign = jwt.encode(payload(tenantId="acme", audiences=["group:ops"], extra=1), SECRET, algorithm="HS256")
    claims = read(SECRET, foreign)
    assert (claims.user_id, claims.tenant_id, claims.audiences) == ("42", "acme", ("group:ops",))


FALSE = {
    "expired": lambda: jwt.encode(payload(exp=int(time.time()) - 1), SECRET, algorithm="HS256"),
    "not yet valid": lambda: jwt.encode(payload(nbf=int(time.time()) + 60), SECRET, algorithm="HS256"),
    "unsigned": lambda: jwt.encode(payload(), None, algorithm="none"),
    "another secret": lambda: jwt.encode(payload(), OTHER, algorithm="HS256"),
    "another algorithm": lambda: jwt.encode(payload(), SECRET * 2, algorithm="HS512"),
    "no subject": lambda: jwt.encode({"exp": int(time.time()) + 60}, SECRET, algorithm="HS256"),
    "an empty subject": lambda: jwt.encode(payload(sub=""), SECRET, algorithm="HS256"),
    "no end": lambda: jwt.encode({"sub": "42"}, SECRET, algorithm="HS256"),
    "audiences that are no list": lambda: jwt.encode(payload(audiences="global"), SECRET, algorithm="HS256"),
    "a tenant that is no text": lambda: jwt.encode(payload(tenantId=7), SECRET, algorithm="HS256"),
    "nonsense": lambda: "nonsense",
    "nothing": lambda: "",
}


@pytest.mark.parametrize("fault", FALSE)
def test_a_false_token_is_unauthorized(fault):
    with pytest.raises(Unauthorized):
        read(SECRET, FALSE[fault]())


def test_the_derived_secret_is_another_than_the_sites_own():
    assert derive_secret("key") == derive_secret(b"key") != derive_secret("another key")
    assert "key" not in derive_secret("key")


def test_a_request_becomes_claims():
    claims = check_request({"userId": "42", "tenantId": "acme", "audiences": ["group:acme:ops"], "ttl": 60})
    assert (claims.user_id, claims.tenant_id, claims.audiences) == ("42", "acme", ("group:acme:ops",))
    assert 50 < claims.expires_at - time.time() <= 60


WRONG = {
    "userId": [None, "", 42, "x" * 201, "a\x00b"],
    "tenantId": ["", 7, "a:b"],
    "ttl": [0, -1, 1.5, "60", True, MAX_TTL_SECONDS + 1],
    "audiences": ["group:ops", {"a": 1}, ["group:ops"] * (client_tokens.MAX_AUDIENCES + 1)],
    "audiences.1": [["group:ops", each] for each in ("global", "user:1", "connection:1", "nonsense", 7, "group:")],
}


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, values in WRONG.items() for value in values])
def test_each_fault_of_a_request_is_named(path, value):
    with pytest.raises(WrongInput) as refused:
        check_request({"userId": "42"} | {path.partition(".")[0]: value})
    assert path in [fault.path for fault in refused.value.faults]


@pytest.mark.parametrize("body", [None, [], "text", 7])
def test_a_request_must_be_an_object(body):
    with pytest.raises(WrongInput):
        check_request(body)
