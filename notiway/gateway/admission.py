"""Admission: whether a client token with a good signature still opens anything, and for whom one may be made."""

from __future__ import annotations

from notiway.gateway import client_tokens
from notiway.gateway.client_tokens import Claims
from notiway.live.runtime import Runtime
from notiway.store.credentials import tokens
from notiway.values.clock import now_ms
from notiway.values.config import EXTERNAL_USERS
from notiway.values.errors import Fault, Forbidden, Unauthorized, WrongInput

NOT_MADE = "This token cannot be made"


def admit(now: Runtime, token: str) -> Claims:
    """The claims of a token that is good today.

    `Unauthorized` for a false one, and for one that ended before its time: its user signed out everywhere, was
    deactivated or is unknown here, or the API key that asked for it was revoked.
    """
    claims = client_tokens.read(now.token_secret, token)
    check(now, claims)
    return claims


def check(now: Runtime, claims: Claims) -> None:
    """`Unauthorized` when a token has ended since it was read; asks the database."""
    if tokens.has_ended(claims.user_id, round(claims.issued_at * 1000), claims.key_id):
        raise Unauthorized("The token has ended: its user signed out everywhere, or its API key was revoked")
    active = now.user_is_active(claims.user_id)
    if active is False:
        raise Unauthorized("The token has ended: its user is deactivated")
    if active is None and now.config.users != EXTERNAL_USERS:
        raise Unauthorized("The token is not valid: there is no such user")


def check_user(now: Runtime, user_id: str) -> None:
    """`WrongInput` or `Forbidden` when no token may be made for this user."""
    active = now.user_is_active(user_id)
    if active is None and now.config.users != EXTERNAL_USERS:
        advice = "there is no such user; NOTIWAY_USERS=external allows any id"
        raise WrongInput(NOT_MADE, [Fault("userId", advice)])
    if active is False:
        raise Forbidden(NOT_MADE, [Fault("userId", "this user is deactivated")])
    if tokens.ended_at(user_id) >= now_ms():
        fault = "this user signed out everywhere at a time that is still to come: was the server's clock ahead?"
        raise Forbidden(NOT_MADE, [Fault("userId", fault)])
