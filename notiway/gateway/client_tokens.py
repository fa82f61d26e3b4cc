"""Client tokens: JWTs for clients without a session, made here or by any backend that shares the secret."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from notiway.values.audience import MAX_PART_LENGTH, Audience
from notiway.values.errors import Fault, Unauthorized, WrongInput

ALGORITHM = "HS256"
DEFAULT_TTL_SECONDS = 3_600
MAX_TTL_SECONDS = 7 * 24 * 3_600
MAX_AUDIENCES = 100


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: who, until when (seconds since the epoch), and what else it may listen to."""

    user_id: str
    expires_at: float
    tenant_id: str | None = None
    audiences: tuple[str, ...] = ()


def derive_secret(secret_key: str | bytes) -> str:
    """The token secret of a site that sets none: derived, so that no token can pass for a session or back."""
    raw = secret_key if isinstance(secret_key, bytes) else secret_key.encode()
    return hmac.new(raw, b"notiway.client-tokens", hashlib.sha256).hexdigest()


def mint(secret: str, claims: Claims) -> str:
    """A signed token.

    >>> read("s" * 32, mint("s" * 32, Claims("42", time.time() + 60))).user_id
    '42'
    """
    payload: dict[str, Any] = {"sub": claims.user_id, "exp": int(claims.expires_at), "iat": int(time.time())}
    if claims.tenant_id is not None:
        payload["tenantId"] = claims.tenant_id
    if claims.audiences:
        payload["audiences"] = list(claims.audiences)
    return jwt.encode(payload, secret, algorithm=ALGORITHM)


def read(secret: str, token: str) -> Claims:
    """The claims of a token; `Unauthorized` if it is expired, unsigned, or signed by somebody else."""
    try:
        payload = jwt.decode(token, secret, algorithms=[ALGORITHM], options={"require": ["sub", "exp"]})
    except jwt.ExpiredSignatureError:
        raise Unauthorized("The token has expired") from None
    except jwt.InvalidTokenError:
        raise Unauthorized("The token is not valid") from None
    audiences = payload.get("audiences") or []
    tenant_id = payload.get("tenantId")
    if not payload["sub"] or not isinstance(audiences, list) or not isinstance(tenant_id, str | None):
        raise Unauthorized("The token is not valid")
    return Claims(str(payload["sub"]), float(payload["exp"]), tenant_id or None, tuple(map(str, audiences)))


def check_request(body: object) -> Claims:
    """The claims that `POST /api/tokens` asks for; `WrongInput` names every fault."""
    if not isinstance(body, dict):
        raise WrongInput("The body must be a JSON object")
    faults: list[Fault] = []
    user_id = body.get("userId")
    if not isinstance(user_id, str) or not 0 < len(user_id) <= MAX_PART_LENGTH or not user_id.isprintable():
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
