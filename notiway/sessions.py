"""Sessions: what a page does by itself is no activity, so it never extends a login."""

from __future__ import annotations

from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SessionInterface, SessionMixin

BACKGROUND_HEADER = "X-Notiway-Background"
BACKGROUND_FLAG = "notiway.background"  # in the WSGI environ: a socket or stream


class QuietSessions(SessionInterface):
    """The application's own session interface, except that background requests never save."""

    def __init__(self, inner: SessionInterface) -> None:
        self.inner = inner
        self.null_session_class = inner.null_session_class
        self.pickle_based = inner.pickle_based

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:
        return self.inner.open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not is_background():
            self.inner.save_session(app, session, response)

    def is_null_session(self, obj: object) -> bool:
        return self.inner.is_null_session(obj)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def is_background() -> bool:
    """Whether nobody asked for this request: a socket, a stream, or a page that brings itself up to date."""
    return BACKGROUND_HEADER in request.headers or BACKGROUND_FLAG in request.environ
