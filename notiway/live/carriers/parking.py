"""Parking: a socket outlives the request that opened it, where the server lets it go."""

from __future__ import annotations

import _socket
import logging
import os
import socket
import ssl
import threading
from typing import Any

from notiway.live.connection import Connection
from notiway.live.runtime import Runtime
from notiway.live.state import State
from notiway.store.database import db
from notiway.values.errors import CannotHold

log = logging.getLogger(__name__)

REMEDY = (
    "let `flask --app yourapp notiway live` hold the connections and route /ws/notifications, /hub and"
    " /api/notifications/stream to it, or start gunicorn with --worker-class gevent"
)
ELSEWHERE = (
    "this process holds none (NOTIWAY_LIVE, NOTIWAY_LIVE_URL); let the proxy route /ws/notifications, /hub and"
    " /api/notifications/stream to the process that `flask --app yourapp notiway live` started"
)
_is_told = False


def check_server(now: Runtime) -> None:
    """`CannotHold` in a process that holds no live connections: each would hold up everybody else there."""
    global _is_told
    if now.holds_sockets:
        return
    if not _is_told:
        remedy = ELSEWHERE if now.config.lives_elsewhere else f"this server would be held up by each; {REMEDY}"
        log.error("a live connection was refused, and so are all others: %s", remedy)
        _is_told = True
    raise CannotHold("This server takes no live connections; its log says what to change")


def take_socket(upgrade: Any) -> tuple[Any, bool]:
    """The socket behind a finished handshake, and whether its view must stay until the end.

    Under gunicorn's gevent worker the file descriptor is detached: view, greenlet and request end, the hub
    keeps the socket. Any other server would close the socket with the view, so there the view stays.
    A TLS socket keeps its state in Python and cannot be detached.
    """
    upgrade.connected = False  # flask-sock's own close() then has nothing to send
    return take_carrier(upgrade.sock, upgrade.mode)


def take_carrier(carrier: Any, mode: str) -> tuple[Any, bool]:
    """The same for any socket that a WSGI server lent; `mode` is its server: gunicorn, werkzeug, …"""
    if isinstance(carrier, ssl.SSLSocket):
        return carrier, True
    if mode == "gunicorn" and type(carrier).__module__.startswith("gevent"):
        return _socket.socket(fileno=carrier.detach()), False
    return socket.socket(fileno=os.dup(carrier.fileno())), True


def stay(connection: Connection, view_stays: bool) -> None:
    """Keep the view until the connection ends, where the socket would end with the view."""
    if not view_stays:
        return
    gone = threading.Event()
    connection.on_gone = gone.set
    db.close()  # a connection that is held by its thread must not hold the database
    if connection.state < State.CLOSED:
        gone.wait()
