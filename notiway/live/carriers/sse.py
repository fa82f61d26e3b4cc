"""Stream: an SSE response on a socket that the hub keeps (WHATWG HTML §9.2)."""

from __future__ import annotations

import re
import secrets

from notiway.live.connection import Connection

LINE_ENDS = re.compile("\r\n|\r|\n")  # of this format
RETRY_MS = (1_000, 4_000)  # after a lost stream clients come back spread over this time


class StreamTransport:
    """Text as it is, comments as pings; the client says nothing, the end of the stream is its goodbye."""

    answers = False  # a stalled stream is found by its backlog
    is_impatient = False
    silence_seconds = 0.0

    def encode(self, text: str) -> bytes:
        return text.encode()

    def ping(self) -> bytes:
        return b":\n\n"

    def farewell(self, code: int, reason: str) -> bytes:
        return b""

    def turn_away(self, connection: Connection, code: int, reason: str) -> None:
        """Close a connection that may not stay, at once."""
        connection.close(code, reason)

    def receive(self, connection: Connection, data: bytes) -> None:
        """A client has nothing to say here; that it is there was noted."""


class FrameStreamTransport(StreamTransport):
    """The same for pages without a WebSocket: a frame is the data of one message, and the goodbye tells its code."""

    def encode(self, text: str) -> bytes:
        lines = "".join(f"data: {line}\n" for line in LINE_ENDS.split(text))
        return f"{lines}\n".encode()

    def farewell(self, code: int, reason: str) -> bytes:
        return f"event: close\ndata: {int(code)}\n\n".encode()


def response_head(extra: dict[str, str]) -> bytes:
    """Status line and headers of the stream, written by hand, and a jittered reconnection time."""
    headers = {
        "Content-Type": "text/event-stream; charset=utf-8",
        "Cache-Control": "no-store",
        "Connection": "close",
        "X-Accel-Buffering": "no",  # nginx would collect events otherwise
        "X-Content-Type-Options": "nosniff",
        **extra,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    low, high = RETRY_MS
    return f"HTTP/1.1 200 OK\r\n{lines}\r\nretry: {low + secrets.randbelow(high - low)}\n\n".encode()
