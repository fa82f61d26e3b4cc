"""Devices: browsers that have signed in to an account before, by a cookie that outlives the session.

Strangers who guess at one account from many addresses share one budget of failures. When it is used up, they have to
wait, and the user, on a known browser, does not (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
"""

from __future__ import annotations

import hashlib

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

COOKIE = "notiway_device"
SECONDS = 365 * 24 * 60 * 60
MOST_ACCOUNTS = 5  # of one browser
SALT = "notiway.device"


def is_known(email: str) -> bool:
    """Whether this browser has signed in with that address before."""
    return _name(email) in _names()


def remember(response: Response, email: str) -> Response:
    """Let this browser be known for the address from now on; nothing in the cookie opens anything."""
    names = [_name(email), *(each for each in _names() if each != _name(email))][:MOST_ACCOUNTS]
    response.set_cookie(
        COOKIE, _serializer().dumps(names), max_age=SECONDS, httponly=True, secure=request.is_secure, samesite="Lax"
    )
    return response


def _names() -> list[str]:
    try:
        names: list[str] = _serializer().loads(request.cookies.get(COOKIE, ""), max_age=SECONDS)
    except BadSignature:
        return []
    return names


def _name(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()[:32]


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt=SALT)
