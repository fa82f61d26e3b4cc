"""State: how far a connection has come."""

from __future__ import annotations

from enum import IntEnum


class State(IntEnum):
    """How far a connection has come."""

    OPEN = 0
    CLOSING = 1  # a close frame waits to be written
    LINGERING = 2  # all is written; waiting for the client's end
    CLOSED = 3
