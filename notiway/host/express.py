"""Express: one good envelope is published without the way through Flask, which takes longer than the publishing.

For this application, whose hooks are known to have no say in it: they are not run. An envelope with a fault, and all
that is not the plain case, goes the usual way and is answered there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask
from pydantic_core import to_json

from notiway.gateway import envelope
from notiway.live.runtime import KEY, Runtime
from notiway.store.credentials import api_keys
from notiway.values.clock import now_ms
from notiway.values.errors import NotiwayError
from notiway.values.text import json_text
from notiway.web import body, publishing
from notiway.web.caching import VARY

BEARER = "Bearer "
# With one of these there is something to find out that only the usual way knows.
UNUSUAL = ("HTTP_ORIGIN", "HTTP_TRANSFER_ENCODING", "HTTP_EXPECT")
STATUS = {False: "201 CREATED", True: "200 OK"}  # by whether it is a duplicate
HEADERS = [
    ("Content-Type", body.JSON_TYPE),
    ("Cache-Control", "no-store"),
    ("Vary", ", ".join((*VARY, "Origin"))),
]

Headers = list[tuple[str, str]]
Environ = dict[str, Any]


class Express:
    """A WSGI application around another one. `headers` are those of every answer, for a request with or without TLS.

    >>> app.wsgi_app = Express(app, app.wsgi_app, headers.given)  # doctest: +SKIP
    """

    def __init__(self, app: Flask, inner: Callable[..., Iterable[bytes]], headers: Callable[[bool], Headers]) -> None:
        self._app, self._inner = app, inner
        self._headers = {is_secure: [*HEADERS, *headers(is_secure)] for is_secure in (False, True)}
        self._path = ""

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if not self._fits(environ):
            return self._inner(environ, start_response)
        now: Runtime = self._app.extensions[KEY]
        try:
            now.wait_for_room()  # first, so that a refusal costs little
            data = body.small_of(environ, publishing.BODY_LIMIT_BYTES)
            if data is None:
                return self._inner(environ, start_response)
            with self._app.app_context():
                answer = _published(now, environ["HTTP_AUTHORIZATION"][len(BEARER) :].strip(), data)
        except Exception:  # noqa: BLE001 - the application knows what to answer to it
            return self._failed(environ, start_response)
        if answer is None:
            return self._inner(environ, start_response)
        text = to_json(answer)
        headers = [("Content-Length", str(len(text))), *self._headers[environ["wsgi.url_scheme"] == "https"]]
        start_response(STATUS[answer["duplicate"]], headers)
        return [text]

    def _fits(self, environ: Environ) -> bool:
        if environ["REQUEST_METHOD"] != "POST" or environ.get("QUERY_STRING"):
            return False
        now: Runtime | None = self._app.extensions.get(KEY)
        if now is None or not now.is_started:  # the first request starts it
            return False
        self._path = self._path or f"{now.config.url_prefix}{publishing.PATH}"
        return (
            environ.get("PATH_INFO") == self._path
            and environ.get("HTTP_AUTHORIZATION", "").startswith(BEARER)
            and not any(name in environ for name in UNUSUAL)
        )

    def _failed(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """The answer to the exception at hand, as the route itself would have given it."""
        error = sys.exc_info()[1]
        assert isinstance(error, Exception)  # noqa: S101 - called from `except Exception`
        with self._app.request_context(environ):
            try:
                answer = self._app.handle_user_exception(error)
                response = self._app.finalize_request(answer)
            except Exception as unknown:  # noqa: BLE001 - the same
                response = self._app.handle_exception(unknown)
            return response(environ, start_response)


def _published(now: Runtime, key: str, data: bytes) -> dict[str, Any] | None:
    """What is answered to one good envelope; None, and nothing done, for whatever else this is."""
    try:
        raw = json_text.read(data)
        if type(raw) is not dict or (producer := api_keys.find(key)) is None:
            return None
        parsed = envelope.parse(raw, producer.name, now_ms(), publishing.publisher_of(producer))
    except (ValueError, NotiwayError):
        return None
    if not publishing.may_publish(producer, parsed):
        return None
    api_keys.note_use(producer)
    now.throttle.take("publish", now.config.publish_rate, producer.id)
    return publishing.answers(now, [parsed])[0]
