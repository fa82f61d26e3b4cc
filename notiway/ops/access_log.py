"""Access log: gunicorn's line for each request, written at a tenth of what its loggers take for it.

gunicorn collects sixty values for the line, of which six are shown; the JSON formatter then builds a record, and nine
patterns look for secrets in it. Here the line is put together by hand, and only what could hold a secret is searched.
"""

from __future__ import annotations

import json
import logging
import re
import time
from datetime import timedelta
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from notiway.ops.logs import JSON_FIELDS, RedactingFormatter, redact

FORMAT = '%(h)s "%(m)s %(U)s" %(s)s %(b)s %(M)sms'  # as gunicorn.conf.py has it: paths, and no query strings
NAME = "gunicorn.access"
ADDRESS = re.compile(r"[0-9A-Fa-f.:]*")  # no name of a secret can be written with these
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Each rule of `logs.redact` needs another character than these, or one of the two signs.
PATH = re.compile(r"[A-Za-z0-9/._~-]*")
SIGNS = ("nw_", "eyJ")


def quicken(log: Any) -> bool:
    """Let a gunicorn logger write its access lines this way; False where it is set up in another way, and stays so.

    For `post_worker_init` in gunicorn's configuration, after `logs.protect`.

    >>> def post_worker_init(worker):
    ...     access_log.quicken(worker.log)
    """
    handler = _handler(log)
    if handler is None:
        return False
    usual = log.access
    clock = _Clock()

    def access(response: Any, request: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        try:
            text = line(clock.now(), response, environ, request_time)
            handler.acquire()
            try:
                handler.stream.write(text)
                handler.flush()
            finally:
                handler.release()
        except (OSError, ValueError):
            usual(response, request, environ, request_time)  # it also knows how to tell what is wrong

    log.access = access
    return True


def line(moment: str, response: Any, environ: dict[str, Any], request_time: timedelta) -> str:
    """The line of one request, as the formatters would write it; `moment` is the time as text."""
    address, method, path = environ.get("REMOTE_ADDR", "-"), environ.get("REQUEST_METHOD"), environ.get("PATH_INFO")
    status = response.status
    if isinstance(status, str):
        status = status.split(None, 1)[0]
    sent = getattr(response, "sent", None)
    tail = f"{status} {'-' if sent is None else sent} {request_time // timedelta(milliseconds=1)}ms"
    head = f'{{"asctime": "{moment}", "levelname": "INFO", "name": "{NAME}", "message": '
    if _is_plain(address, method, path):
        return f'{head}"{address} \\"{method} {path}\\" {tail}"}}\n'
    shown = [_quoted(each) for each in (address, method, path)]
    message = f'{shown[0]} "{shown[1]} {shown[2]}" {tail}'
    return redact(f"{head}{json.dumps(message)}}}") + "\n"


def _is_plain(address: Any, method: Any, path: Any) -> bool:
    """Whether all of it can stand in JSON as it is, and no secret can be in it."""
    return (
        method in METHODS
        and isinstance(address, str)
        and isinstance(path, str)
        and PATH.fullmatch(path) is not None
        and ADDRESS.fullmatch(address) is not None
        and not any(sign in path for sign in SIGNS)
    )


def _quoted(value: Any) -> Any:
    return value.replace('"', '\\"') if isinstance(value, str) else value


def _handler(log: Any) -> logging.StreamHandler[Any] | None:
    """The one handler of the access log where everything is as gunicorn.conf.py sets it up."""
    logger: logging.Logger = log.access_log
    if log.cfg.access_log_format != FORMAT or not log.access_log_enabled or not logger.isEnabledFor(logging.INFO):
        return None
    if logger.name != NAME or logger.propagate or logger.filters or len(logger.handlers) != 1:
        return None
    handler = logger.handlers[0]
    formatter = handler.formatter
    if type(handler) is not logging.StreamHandler or handler.filters or handler.level > logging.INFO:
        return None
    inner = formatter.inner if isinstance(formatter, RedactingFormatter) else None
    is_ours = type(inner) is JsonFormatter and inner._fmt == JSON_FIELDS
    return handler if is_ours else None


class _Clock:
    """The time as the formatters write it; what is the same for a whole second is made once."""

    def __init__(self) -> None:
        self._second = 0
        self._text = ""

    def now(self) -> str:
        second, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        if second != self._second:
            self._text = time.strftime(logging.Formatter.default_time_format, time.localtime(second))
            self._second = second
        return f"{self._text},{nanoseconds // 1_000_000:03d}"
