"""Sessions: what a page does by itself is no activity, so it never extends a login."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request
from flask.sessions import SessionInterface, SessionMixin

BACKGROUND_HEADER = "X-Notiway-Background"
BACKGROUND_FLAG = "notiway.background"  # in the WSGI environ: a socket or stream


class QuietSessions:
    """The application's own session interface, except that background requests never save.

    No subclass of `SessionInterface`: its defaults would hide what the application's own does.
    """

    def __init__(self, inner: SessionInterface) -> None:
        self.inner = inner

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not is_background():
            self.inner.save_session(app, session, response)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def is_background() -> bool:
    """Whether nobody asked for this request: a socket, a stream, or a page that brings itself up to date."""
    return BACKGROUND_HEADER in request.headers or BACKGROUND_FLAG in request.environ
