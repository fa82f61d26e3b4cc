"""Carriers: how a client's socket is taken over, spoken to and heard, whatever it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from notiway.live.connection import Connection


class Transport(Protocol):
    """How text becomes bytes on this kind of connection, and bytes become messages."""

    answers: bool  # whether a client that is there can be heard
    is_impatient: bool  # whether its clients give up on a server that pings them less often than every 30 s
    silence_seconds: float  # how long it may say nothing all the same, where it does not answer each ping

    def encode(self, text: str) -> bytes: ...
    def ping(self) -> bytes: ...
    def farewell(self, code: int, reason: str) -> bytes: ...
    def turn_away(self, connection: Connection, code: int, reason: str) -> None: ...
    def receive(self, connection: Connection, data: bytes) -> None: ...


def can_hold(environ: Mapping[str, Any]) -> bool:
    """Whether the server of this WSGI request lets a connection stay without holding up everybody else.

    gunicorn's gevent worker, gevent's own server and Flask's development server do. A sync worker serves one connection
    at a time, gthread as many as it has threads; the other servers lend no sockets at all.
    """
    carrier = environ.get("gunicorn.socket")
    if carrier is not None:
        return type(carrier).__module__.startswith("gevent")
    return "werkzeug.socket" in environ or type(environ.get("wsgi.input")).__module__ == "gevent.pywsgi"
