"""State: how far a connection has come."""

from enum import IntEnum


class State(IntEnum):
    OPEN = 0
    CLOSING = 1  # a close frame waits to be written
    LINGERING = 2  # all is written; waiting for the client's end
    CLOSED = 3
