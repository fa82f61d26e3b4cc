"""Probe: a WebSocket client of a few lines, for the doctor, and the session that it signs in with.

It has a deadline and leaves nothing behind.
"""

from __future__ import annotations

import json
import socket
import ssl
from types import TracebackType
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Flask, session
from flask_login import login_user, logout_user
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import RemoteProtocolError

from notiway.live import runtime
from notiway.live.carriers.parking import REMEDY

READ_BYTES = 64 * 1024
FORBIDDEN = 403
UNAVAILABLE = 503
Wanted = TypeVar("Wanted")


class Refused(ConnectionError):
    """The server answered the upgrade with an HTTP status, or closed the socket with a code; `reason` are its words."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"refused with {code}" + (f": {reason}" if reason else ""))
        self.code = code
        self.reason = reason


class Probe:
    """An open WebSocket. Every call takes `seconds` at most.

    >>> with Probe("http://127.0.0.1:5000/ws/notifications", {}, 5.0) as probe:  # doctest: +SKIP
    ...     probe.receive()

    Raises `Refused` when the server does not want it, and `OSError` when there is none.
    """

    def __init__(self, url: str, headers: dict[str, str], seconds: float) -> None:
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme in ("https", "wss")
        self._events: list[Event] = []
        self._socket = socket.create_connection((host, parts.port or (443 if secure else 80)), seconds)
        try:
            if secure:
                self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=host)
            self._protocol = WSConnection(ConnectionType.CLIENT)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            extra = [(name.encode(), value.encode()) for name, value in headers.items()]
            self._socket.sendall(self._protocol.send(Request(parts.netloc, target, extra_headers=extra)))
            self._wait_for(AcceptConnection)
        except BaseException:
            self._socket.close()
            raise

    def send(self, text: str) -> None:
        """Send one text message."""
        self._socket.sendall(self._protocol.send(TextMessage(text)))

    def receive(self) -> str:
        """The next text message, whole."""
        parts = []
        while True:
            event = self._wait_for(TextMessage)
            parts.append(str(event.data))
            if event.message_finished:
                return "".join(parts)

    def close(self) -> None:
        """Close the connection without a closing handshake, which a server must tolerate."""
        self._socket.close()

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _wait_for(self, kind: type[Wanted]) -> Wanted:
        while True:
            for index, event in enumerate(self._events):
                if isinstance(event, kind):
                    del self._events[: index + 1]
                    return event
                if isinstance(event, RejectConnection):
                    raise Refused(event.status_code, self._words() if event.has_body else "")
                if isinstance(event, CloseConnection):
                    raise Refused(event.code)
            self._events.clear()
            self._receive()

    def _receive(self) -> None:
        data = self._socket.recv(READ_BYTES)
        if not data:
            raise ConnectionResetError("the server ended the connection without a close code")
        try:
            self._protocol.receive_data(data)
        except RemoteProtocolError as error:
            raise ConnectionError(f"this is no WebSocket: {error}") from error
        self._events.extend(self._protocol.events())

    def _words(self) -> str:
        """What a refusal's body says, where it is an error of Notiway's."""
        body = b""
        try:
            while True:
                parts = [event for event in self._events if isinstance(event, RejectData)]
                body += b"".join(part.data for part in parts)
                if any(part.body_finished for part in parts):
                    return str(json.loads(body)["error"]["message"])
                self._events.clear()
                self._receive()
        except (OSError, ValueError, KeyError, TypeError):
            return ""


def session_cookie(app: Flask, url: str, user_id: str | None) -> str | None:
    """A session cookie as if the user had signed in; None when there is no such user."""
    if user_id is None:
        people = runtime.current().people
        user_id = next((person.id for person in people.search("", 1)), None) if people is not None else None
    if user_id is None:
        return None
    with app.test_request_context(base_url=url, environ_base={"REMOTE_ADDR": "127.0.0.1"}):
        user = app.login_manager._user_callback(user_id)  # type: ignore[attr-defined]
        if user is None or not login_user(user):
            return None
        response = app.make_response("")
        app.session_interface.save_session(app, session, response)
    return "; ".join(header.partition(";")[0] for header in response.headers.getlist("Set-Cookie"))


def end_session(app: Flask, url: str, cookie: str) -> None:
    """Sign out what `session_cookie` signed in."""
    with app.test_request_context(base_url=url, headers={"Cookie": cookie}):
        logout_user()


def refusal_advice(code: int, origin: str) -> str:
    """What to do about a refusal with this code."""
    if code == FORBIDDEN:
        return (
            f"if browsers see the site as {origin}, let the proxy pass the Host header on,"
            " or add it to NOTIWAY_ALLOWED_ORIGINS"
        )
    if code == UNAVAILABLE:
        return f"{REMEDY}; if it is so already, it is restarting: try again"
    if code in (401, 4001):
        return "the server did not accept the session: does it run with the same SECRET_KEY and database?"
    return proxy_advice(origin)


def proxy_advice(url: str) -> str:
    """What to do if the answer is none that Notiway gives."""
    return f"if a proxy stands before {url}, let it pass the Upgrade and Connection headers on (docs/how-to/deploy.md)"
