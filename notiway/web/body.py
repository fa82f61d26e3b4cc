"""Body: what a request brings, read whole before anything else is done, and within a deadline."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import Any

from flask import request
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_input_stream

from notiway.pausing import in_stretches, is_patched, pause
from notiway.store import database
from notiway.values.errors import Fault, TooSlow, WrongInput
from notiway.values.text import json_text

REASON_LIMIT = 200  # characters of the parser's words
GRACE_SECONDS = 10.0  # for any body
LEAST_BYTES_PER_SECOND = 16 * 1024  # what a client must manage beyond that
PAUSE_BYTES = 512 * 1024  # read between two pauses: a few milliseconds
SMALL_DIGITS = 5  # of the size of a body in bytes
JSON_TYPE = "application/json"
DROPPED_BYTES = 32 * 1024 * 1024  # of a body that is refused; whoever sends more may lose the answer
UNKNOWN_BYTES = 1024 * 1024  # what a body that does not say how long it is may take the time for


def take() -> None:
    """Take the request's body into memory. It may trickle in, so no database connection is held meanwhile.

    `TooSlow` when it does not arrive in time: ten seconds, and one more for each 16 KiB.
    """
    database.release()
    request.environ["wsgi.input"] = Unhurried(request.environ["wsgi.input"])
    size = request.content_length
    with _deadline(request.environ, GRACE_SECONDS + (UNKNOWN_BYTES if size is None else size) / LEAST_BYTES_PER_SECOND):
        request.get_data(parse_form_data=True)


def take_small() -> bytes | None:
    """The whole of a small JSON body, which is cheap to take before anything is known of its sender; None for others.

    In the same time as `take`; whoever asks for the request's data later gets it too.
    """
    if "stream" in vars(request):  # somebody has read it before, and the request keeps it
        return None
    environ, limit = request.environ, request.max_content_length
    size = environ.get("CONTENT_LENGTH") or ""
    if not environ.get("CONTENT_TYPE", "").startswith(JSON_TYPE) or not size.isdecimal() or len(size) > SMALL_DIGITS:
        return None
    if limit is not None and int(size) > limit:
        return None  # `take` refuses it
    database.release()
    with _deadline(environ, GRACE_SECONDS + int(size) / LEAST_BYTES_PER_SECOND):
        data: bytes = environ["wsgi.input"].read(int(size))
    if len(data) < int(size):
        raise ClientDisconnected
    environ["wsgi.input"] = BytesIO(data)
    return data


def read() -> Any:
    """The JSON value in the body; `WrongInput` says why it is not JSON. Others run while a long list is read."""
    data = take_small()
    if data is None:
        take()
        data = request.get_data()
    return value_of(data)


def value_of(data: bytes) -> Any:
    """The same of a body that was taken before."""
    try:
        if len(data) > json_text.PIECE:
            return list(in_stretches(json_text.read_elements(data)))
        return json_text.read(data)
    except ValueError as error:
        raise WrongInput("The body is not JSON", [Fault("body", str(error)[:REASON_LIMIT])]) from None


def read_object() -> dict[str, Any]:
    """The same where an object is needed; `WrongInput` if it is something else."""
    value = read()
    if not isinstance(value, dict):
        raise WrongInput("The body is not a JSON object")
    return value


def drop() -> None:
    """Read what is left of a body whose request is refused, and forget it; for ten seconds at most.

    A server that closes a connection on bytes which it has not read resets it, and the answer is lost on its way: a
    proxy in between then says 502 (RFC 9112 §9.6).
    """
    if "stream" in vars(request):  # it was read, or given up
        return
    database.release()
    stream, left = get_input_stream(request.environ), DROPPED_BYTES
    with suppress(TooSlow, ClientDisconnected, OSError), _deadline(request.environ, GRACE_SECONDS):
        while left > 0 and (data := stream.read(min(left, PAUSE_BYTES))):
            left -= len(data)
            pause()


class Unhurried:
    """A stream that lets others run while much is read: what is there already is read without a wait."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._read_since = 0

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._stream.read(size)
        self._read_since += len(data)
        if self._read_since >= PAUSE_BYTES:
            self._read_since = 0
            pause()
        return data

    def __getattr__(self, name: str) -> Any:
        if name == "readinto":  # which would be preferred
            raise AttributeError(name)
        return getattr(self._stream, name)


@contextmanager
def _deadline(environ: dict[str, Any], seconds: float) -> Iterator[None]:
    """Only gevent can end a read that waits; other servers have deadlines of their own, or need a proxy's."""
    if not is_patched("socket"):
        yield
        return
    from gevent import Timeout

    late = Timeout(seconds)
    late.start()
    try:
        yield
    except Timeout as timeout:
        if timeout is not late:
            raise
        _stop_reading(environ)
        raise TooSlow("The body of this request came too slowly") from None
    finally:
        late.close()


def _stop_reading(environ: dict[str, Any]) -> None:
    """The rest of the body is not waited for either, when the server looks for the next request."""
    carrier = environ.get("gunicorn.socket")
    if carrier is not None:
        try:
            carrier.shutdown(socket.SHUT_RD)
        except OSError:
            return  # it has gone
