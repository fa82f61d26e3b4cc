"""Close codes: why a connection ends, as clients are told."""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    """Why a connection ends (RFC 6455 §7.4 and CONTRACT §4)."""

    NORMAL = 1000
    PROTOCOL_ERROR = 1002
    UNSUPPORTED = 1003
    INVALID_TEXT = 1007
    NOT_ALLOWED = 1008
    TOO_BIG = 1009
    TRY_AGAIN = 1011  # the server met a fault; clients come back
    RESTARTING = 1012
    TOO_SLOW = 1013
    NOT_SIGNED_IN = 4001
    TOO_MANY = 4008
    SIGNED_OUT = 4009


KNOWN_CODES = frozenset(CloseCode)  # told apart in metrics; a client may close with any code


def close_label(code: int) -> str:
    """How metrics call a close code: a client may close with any.

    >>> close_label(1012), close_label(4999)
    ('1012', 'other')
    """
    return str(int(code)) if code in KNOWN_CODES else "other"
