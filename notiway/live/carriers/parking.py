"""Parking: a socket outlives the request that opened it, where the server lets it go."""

from __future__ import annotations

import _socket
import logging
import os
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Any

from notiway.live.connection import Connection
from notiway.live.state import State
from notiway.store.database import db
from notiway.values.errors import CannotHold

log = logging.getLogger(__name__)

HOLDING = (
    "this gunicorn worker would be held by each of them; pages work, but nothing is live."
    " Start gunicorn with --worker-class gevent"
)
_is_told = False


def check_server(environ: Mapping[str, Any]) -> None:
    """`CannotHold` under a gunicorn worker in which a connection that stays open would hold up everybody else.

    That is every one but gevent's: a sync worker serves one connection at a time, gthread as many as it has threads.
    """
    global _is_told
    carrier = environ.get("gunicorn.socket")
    if carrier is None or type(carrier).__module__.startswith("gevent"):
        return
    if not _is_told:
        log.error("a live connection was refused, and so are all others: %s", HOLDING)
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
