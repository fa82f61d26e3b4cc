"""Client tokens: JWTs for clients without a session, made here or by any backend that shares the secret."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from notiway.values.audience import MAX_PART_LENGTH, Audience
from notiway.values.clock import now_ms
from notiway.values.errors import Fault, Unauthorized, WrongInput

ALGORITHM = "HS256"
ISSUER = "notiway"  # `iss`: also in tokens of a backend that shares the secret, for it speaks in our name
AUDIENCE = "notiway"  # `aud`: a token made for another service with the same secret is none of ours
REQUIRED = ("sub", "exp", "iat", "iss", "aud", "jti")
ID_BYTES = 12
DEFAULT_TTL_SECONDS = 3_600
MAX_TTL_SECONDS = 7 * 24 * 3_600
MAX_AUDIENCES = 100
LATEST = 253_370_764_800  # seconds: the year 9999; what computes with a moment overflows beyond it


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: who, from when and until when (seconds since the epoch), and what else it may listen to.

    `key_id` is the API key that asked for it, None for a token that a backend signed itself.
    """

    user_id: str
    expires_at: float
    tenant_id: str | None = None
    audiences: tuple[str, ...] = ()
    key_id: str | None = None
    issued_at: float = 0.0
    token_id: str = ""


def derive_secret(secret_key: str | bytes) -> str:
    """The token secret of a site that sets none: derived, so that no token can pass for a session or back."""
    raw = secret_key if isinstance(secret_key, bytes) else secret_key.encode()
    return hmac.new(raw, b"notiway.client-tokens", hashlib.sha256).hexdigest()


def new_id() -> str:
    """A fresh `jti`."""
    return secrets.token_urlsafe(ID_BYTES)


def mint(secret: str, claims: Claims) -> str:
    """A signed token, issued now, with an id of its own (RFC 7519 §4.1, RFC 7515 §4.1.4).

    >>> read("s" * 32, mint("s" * 32, Claims("42", time.time() + 60))).user_id
    '42'
    """
    payload: dict[str, Any] = {
        "sub": claims.user_id,
        "exp": int(claims.expires_at),
        # To the millisecond, so that a token can follow a sign-out in the same second.
        "iat": now_ms() / 1000,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "jti": claims.token_id or new_id(),
    }
    if claims.tenant_id is not None:
        payload["tenantId"] = claims.tenant_id
    if claims.audiences:
        payload["audiences"] = list(claims.audiences)
    headers = None if claims.key_id is None else {"kid": claims.key_id}
    return jwt.encode(payload, secret, algorithm=ALGORITHM, headers=headers)


def read(secret: str, token: str) -> Claims:
    """The claims of a token; `Unauthorized` if it is expired, made for others, or signed by somebody else."""
    try:
        whole = jwt.decode_complete(
            token,
            secret,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": list(REQUIRED)},
        )
        claims = _claims(whole["payload"], whole["header"].get("kid"))
    except jwt.ExpiredSignatureError:
        raise Unauthorized("The token has expired") from None
    except (jwt.MissingRequiredClaimError, jwt.InvalidAudienceError, jwt.InvalidIssuerError) as error:
        advice = f"iss must be {ISSUER!r}, aud {AUDIENCE!r}, and {', '.join(REQUIRED)} are required"
        raise Unauthorized(f"The token is not valid: {error} ({advice})") from None
    except (jwt.InvalidTokenError, ValueError, OverflowError):
        raise Unauthorized("The token is not valid") from None
    return claims


def _claims(payload: dict[str, Any], key_id: object) -> Claims:
    """What a good signature vouches for, in the types that are used here; `ValueError` for anything else."""
    user_id, token_id = payload["sub"], payload["jti"]
    audiences, tenant_id = payload.get("audiences") or [], payload.get("tenantId") or None
    if not _is_name(user_id) or not _is_name(token_id) or not isinstance(audiences, list):
        raise ValueError("a claim has the wrong type")
    if not (key_id is None or (isinstance(key_id, str) and _is_name(key_id))):
        raise ValueError("kid is not the id of a key")
    for each in audiences:
        Audience.parse(each if isinstance(each, str) else "")
    if tenant_id is not None:
        Audience.tenant(tenant_id if isinstance(tenant_id, str) else "")
    if not all(type(payload[name]) in (int, float) for name in ("exp", "iat")):
        raise ValueError("exp and iat must be numbers")
    expires_at, issued_at = float(payload["exp"]), float(payload["iat"])
    if expires_at > LATEST:
        raise ValueError("exp is too far in the future")
    return Claims(user_id, expires_at, tenant_id, tuple(audiences), key_id, issued_at, token_id)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_PART_LENGTH and value.isprintable()


def check_request(body: object) -> Claims:
    """The claims that `POST /api/tokens` asks for; `WrongInput` names every fault."""
    if not isinstance(body, dict):
        raise WrongInput("The body must be a JSON object")
    faults: list[Fault] = []
    user_id = body.get("userId")
    if not _is_name(user_id):
        faults.append(Fault("userId", f"must be text of 1 to {MAX_PART_LENGTH} printable characters"))
    tenant_id = body.get("tenantId")
    if tenant_id is not None:
        try:
            Audience.tenant(tenant_id if isinstance(tenant_id, str) else "")
        except ValueError as error:
            faults.append(Fault("tenantId", str(error)))
    ttl = body.get("ttl", DEFAULT_TTL_SECONDS)
    if isinstance(ttl, bool) or not isinstance(ttl, int) or not 1 <= ttl <= MAX_TTL_SECONDS:
        faults.append(Fault("ttl", f"must be whole seconds from 1 to {MAX_TTL_SECONDS}"))
    audiences = body.get("audiences") or []
    faults += _audience_faults(audiences)
    if faults:
        raise WrongInput("This token cannot be made", faults)
    return Claims(str(user_id), time.time() + ttl, tenant_id, tuple(audiences))


def _audience_faults(audiences: object) -> list[Fault]:
    if not isinstance(audiences, Sequence) or isinstance(audiences, str) or len(audiences) > MAX_AUDIENCES:
        return [Fault("audiences", f"must be a list of at most {MAX_AUDIENCES} audience ids")]
    faults = []
    for index, key in enumerate(audiences):
        try:
            if not Audience.parse(str(key)).is_broadcast or key == "global":
                raise ValueError("must be a tenant or a group")
        except ValueError as error:
            faults.append(Fault(f"audiences.{index}", str(error)))
    return faults
