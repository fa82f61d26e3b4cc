"""Handshake: what a WebSocket's opening request must bring (RFC 6455 §4.2.1)."""

from __future__ import annotations

import base64

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from notiway.values.errors import WrongInput

VERSION = "13"  # RFC 6455 §4.1; §4.4: another one is told this
KEY_BYTES = 16  # RFC 6455 §4.2.1


def refusal() -> ResponseReturnValue | None:
    """The answer to a request that cannot be upgraded, or None; raises `WrongInput` for a bad key."""
    if request.headers.get("Sec-WebSocket-Version") != VERSION:
        wrong = WrongInput(f"This is a WebSocket of version {VERSION}")
        return jsonify(wrong.as_dict()), 426, {"Sec-WebSocket-Version": VERSION, "Upgrade": "websocket"}
    if not _is_key(request.headers.get("Sec-WebSocket-Key", "")):
        raise WrongInput("Sec-WebSocket-Key must be 16 bytes in base64")
    return None


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except ValueError:
        return False
