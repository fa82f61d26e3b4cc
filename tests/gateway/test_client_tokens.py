"""Client tokens: what they say, who may sign them, and what may be asked for."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest

from notiway.gateway import client_tokens
from notiway.gateway.client_tokens import (
    AUDIENCE,
    ISSUER,
    MAX_TTL_SECONDS,
    Claims,
    check_request,
    derive_secret,
    mint,
    read,
)
from notiway.values.errors import Unauthorized, WrongInput

SECRET = "s" * 32
OTHER = "o" * 32


def payload(**changes):
    """The claims of a good token; a change to None leaves one out."""
    now = int(time.time())
    claims = {"sub": "42", "exp": now + 60, "iat": now, "iss": ISSUER, "aud": AUDIENCE, "jti": "one"} | changes
    return {name: value for name, value in claims.items() if value is not None}


def signed(secret=SECRET, algorithm="HS256", headers=None, **changes):
    return jwt.encode(payload(**changes), secret, algorithm=algorithm, headers=headers)


def test_what_is_minted_is_read():
    ends_at = float(int(time.time()) + 60)
    claims = read(SECRET, mint(SECRET, Claims("42", ends_at, "acme", ("group:acme:ops", "tenant:acme"), key_id="k1")))
    assert (claims.user_id, claims.expires_at, claims.tenant_id) == ("42", ends_at, "acme")
    assert (claims.audiences, claims.key_id) == (("group:acme:ops", "tenant:acme"), "k1")
    plain = read(SECRET, mint(SECRET, Claims("42", ends_at)))
    assert (plain.tenant_id, plain.audiences, plain.key_id) == (None, (), None)


def test_a_minted_token_carries_every_claim_of_the_contract():
    began = time.time()
    token = mint(SECRET, Claims("42", began + 60))
    found = jwt.decode(token, SECRET, algorithms=["HS256"], audience="notiway", issuer="notiway")
    assert set(found) == {"sub", "exp", "iat", "iss", "aud", "jti"}
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    assert began - 0.001 <= found["iat"] <= time.time() + 0.001, (
        "to the millisecond: a sign-out may be a moment earlier"
    )


def test_no_two_tokens_have_the_same_id():
    tokens = [read(SECRET, mint(SECRET, Claims("42", time.time() + 60))) for _ in range(2)]
    assert len({each.token_id for each in tokens}) == 2


def test_any_backend_with_the_secret_may_mint():
    claims = read(SECRET, signed(tenantId="acme", audiences=["group:ops"], extra=1))
    assert (claims.user_id, claims.tenant_id, claims.audiences) == ("42", "acme", ("group:ops",))
    assert read(SECRET, signed(aud=["another", AUDIENCE])).user_id == "42"


DEEP = "[" * 3_000 + "]" * 3_000


def part(text):
    """A part of a token."""
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def by_hand(claims, header='{"alg": "HS256", "typ": "JWT"}'):
    """A token with a good signature over any text."""
    said = f"{part(header)}.{part(claims)}"
    signature = hmac.new(SECRET.encode(), said.encode(), hashlib.sha256).digest()
    return f"{said}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def payload_text(**raw):
    """The claims of a good token as text; some of them given as JSON already."""
    kept = {name: json.dumps(value) for name, value in payload().items()}
    return "{" + ", ".join(f'"{name}": {value}' for name, value in (kept | raw).items()) + "}"


def test_a_token_made_by_hand_is_good():
    assert read(SECRET, by_hand(payload_text())).user_id == "42"


FALSE = {
    "expired": lambda: signed(exp=int(time.time()) - 1),
    "not yet valid": lambda: signed(nbf=int(time.time()) + 60),
    "issued in the future": lambda: signed(iat=int(time.time()) + 60),
    "unsigned": lambda: jwt.encode(payload(), None, algorithm="none"),
    "another secret": lambda: signed(OTHER),
    "another algorithm": lambda: signed(SECRET * 2, "HS512"),
    "for another audience": lambda: signed(aud="billing"),
    "by another issuer": lambda: signed(iss="billing"),
    "an id that is no text": lambda: signed(jti=""),
    "an end that is no number": lambda: signed(exp="soon"),
    "an end beyond all years": lambda: signed(exp=10**400),
    "a beginning beyond all years": lambda: signed(iat=-(10**400)),
    "an empty subject": lambda: signed(sub=""),
    "a subject that is no text": lambda: signed(sub="\ud800"),
    "a subject that is too long": lambda: signed(sub="x" * 201),
    "audiences that are no list": lambda: signed(audiences="global"),
    "a tenant that is no text": lambda: signed(tenantId=7),
    "a tenant that cannot be": lambda: signed(tenantId="a:b"),
    "a subject with NUL": lambda: signed(sub="a\0b"),
    "an end that is infinite": lambda: by_hand(payload_text(exp="1e400")),
    "an end that is true": lambda: signed(exp=True),
    "an end that is text": lambda: signed(exp="4102444800"),
    "an end that is no number at all": lambda: by_hand(payload_text(exp="NaN")),
    "a beginning that is true": lambda: signed(iat=True),
    "a beginning that is no number at all": lambda: by_hand(payload_text(iat="NaN")),
    "a later beginning beyond all numbers": lambda: by_hand(payload_text(nbf="1e400")),
    "an id with NUL": lambda: signed(jti="a\0b"),
    "a tenant with NUL": lambda: signed(tenantId="a\0b"),
    "a tenant that is half a character": lambda: signed(tenantId="\ud800"),
    "an audience that is no text": lambda: signed(audiences=[7]),
    "an audience that is none": lambda: signed(audiences=["nonsense"]),
    "an audience nested without end": lambda: by_hand(payload_text(audiences=DEEP)),
    "claims nested without end": lambda: by_hand(DEEP),
    "claims that are no object": lambda: by_hand("[]"),
    "a number of five thousand digits": lambda: by_hand(payload_text(exp="9" * 5_000)),
    "a header nested without end": lambda: by_hand("{}", DEEP),
    "a header that is no object": lambda: by_hand("{}", "[]"),
    "a key that is no text": lambda: by_hand(payload_text(), '{"alg": "HS256", "typ": "JWT", "kid": [7]}'),
    "a key with NUL": lambda: by_hand(payload_text(), '{"alg": "HS256", "typ": "JWT", "kid": "a\\u0000b"}'),
    "nonsense": lambda: "nonsense",
    "half a character": lambda: "\ud800.a.b",
    "nothing": lambda: "",
    **{f"no {name}": lambda name=name: signed(**{name: None}) for name in ("sub", "exp", "iat", "iss", "aud", "jti")},
}


@pytest.mark.parametrize("fault", FALSE)
def test_a_false_token_is_unauthorized(fault):
    with pytest.raises(Unauthorized):
        read(SECRET, FALSE[fault]())


@pytest.mark.parametrize(
    ("fault", "claim"), [("for another audience", "aud"), ("by another issuer", "iss"), ("no jti", "jti")]
)
def test_a_backend_is_told_which_claim_is_wrong_once_its_signature_is_right(fault, claim):
    with pytest.raises(Unauthorized, match=claim):
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
