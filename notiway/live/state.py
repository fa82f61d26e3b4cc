"""State: how far a connection has come."""

from __future__ import annotations

from enum import IntEnum


class State(IntEnum):
    """How far a connection has come."""

    OPEN = 0
    FINISHING = 1  # takes nothing new; what waits is written, then a close frame
    CLOSING = 2  # a close frame waits to be written
    LINGERING = 3  # all is written; waiting for the client's end
    CLOSED = 4
