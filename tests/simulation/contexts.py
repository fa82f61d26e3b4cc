"""Contexts: Flask's, without the signals, routes and cookies that nothing in a schedule asks for."""

from __future__ import annotations

from contextvars import Token
from types import TracebackType
from typing import Any

from flask import Flask
from flask.ctx import AppContext, RequestContext
from flask.globals import _cv_app, _cv_request
from flask.sessions import NullSession


class App(AppContext):
    """An application context. The database stays open between two of them, so nothing is torn down."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.url_adapter = None
        self.g = app.app_ctx_globals_class()
        self._token: Token[AppContext] | None = None

    def __enter__(self) -> App:
        self._token = _cv_app.set(self)
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        _cv_app.reset(self._token)  # type: ignore[arg-type]


class Request(RequestContext):
    """A request context with an application context of its own."""

    def __init__(self, app: Flask, environ: dict[str, Any]) -> None:
        self.app = app
        self.request = app.request_class(environ)
        self.url_adapter = None
        self.flashes = None
        self._session = NullSession()
        self._within = App(app)
        self._token: Token[RequestContext] | None = None

    def __enter__(self) -> Request:
        self._within.__enter__()
        self._token = _cv_request.set(self)
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        _cv_request.reset(self._token)  # type: ignore[arg-type]
        self._within.__exit__(kind, value, trace)


def lighten(app: Flask) -> None:
    """Give this application these contexts."""
    app.app_context = lambda: App(app)  # type: ignore[method-assign]
    app.request_context = lambda environ: Request(app, environ)  # type: ignore[method-assign]
