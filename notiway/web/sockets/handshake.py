"""Handshake: what a WebSocket's opening request must bring (RFC 6455 §4.2.1)."""

from __future__ import annotations

import base64

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from notiway.live.carriers.parking import check_server
from notiway.live.runtime import Runtime
from notiway.store.database import db
from notiway.values.errors import WrongInput

VERSION = "13"  # RFC 6455 §4.1; §4.4: another one is told this
KEY_BYTES = 16  # RFC 6455 §4.2.1
VISITOR = "notiway.visitor"  # in the WSGI environ: who opens a connection


def refusal(now: Runtime) -> ResponseReturnValue | None:
    """The answer to a request that cannot be upgraded, or None.

    Raises `WrongInput` for a bad key, and `CannotHold` in a process that holds none.
    """
    environ = request.environ
    check_server(now)
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != VERSION:
        wrong = WrongInput(f"This is a WebSocket of version {VERSION}")
        return jsonify(wrong.as_dict()), 426, {"Sec-WebSocket-Version": VERSION, "Upgrade": "websocket"}
    if not _is_key(environ.get("HTTP_SEC_WEBSOCKET_KEY", "").strip()):
        raise WrongInput("Sec-WebSocket-Key must be 16 bytes in base64")
    return None


def take_connection() -> None:
    """Have a database connection before the upgrade: `Unavailable` can be answered with 503 only until then."""
    if db.is_closed():
        db.connect(reuse_if_open=True)


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except ValueError:
        return False
