"""Logs: one JSON object per line in production, plain lines in development, and never a secret in either."""

from __future__ import annotations

import logging
import re

from pythonjsonlogger.json import JsonFormatter

HIDDEN = "[hidden]"
JSON_FIELDS = "{asctime}{levelname}{name}{message}"
TALKATIVE = ("huey", "peewee.migrations")  # at INFO they tell what commands and jobs say themselves
PLAIN_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"

# A secret is found by its name or by its shape. The value ends where JSON, a query string or a header would end it.
# A name may be the end of a longer one (NOTIWAY_TOKEN_SECRET), not of a word.
_START = r"(?<![A-Za-z0-9])"
_NAMES = r"(?:access|refresh|csrf|connection)?[-_]?token|password|passwd|secret(?:_key)?|api[-_]?key"
_DATABASES = r"postgres\w*|redis\w*|mysql\w*|amqps?|mongodb\S{0,4}"
_HEADERS = r"(?:proxy-)?authorization|(?:set-)?cookie|x-csrftoken"
_SEPARATOR = r"\\?[\"']?\s*[:=]\s*\\?[\"']?"  # also within JSON, where quotes are escaped
_GIVEN = r"\\?[\"']?\s*(?:=\s*\\?[\"']?|:\s*\\?[\"'])"  # `SECRET_KEY: set it to …` is advice, no secret
_VALUE = r"[^\s\"'&,;<>\\]+"
_RULES = [
    # Authorization: Bearer abc · 'authorization': 'Basic abc' · Cookie: a=1; b=2, to the end of the header
    (re.compile(rf"(?i)\b({_HEADERS})({_SEPARATOR})[^\r\n\"'\\]+"), rf"\1\2{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]+"), rf"\1{HIDDEN}"),
    # ?access_token=abc · "password": "abc" · secret_key=abc
    (re.compile(rf"(?i){_START}({_NAMES})({_GIVEN}){_VALUE}"), rf"\1\2{HIDDEN}"),
    # the token of one SignalR connection: /hub?id=abc, and a ticket
    (re.compile(rf"([?&](?:id|ticket)=){_VALUE}"), rf"\1{HIDDEN}"),
    # a session cookie that stands alone
    (re.compile(rf"{_START}((?:session|remember_token)=){_VALUE}"), rf"\1{HIDDEN}"),
    # an API key of ours, and a JWT (RFC 7519 §3): three base64url parts, the first begins with {"
    (re.compile(r"\bnw_[\w-]{8,}"), HIDDEN),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*"), HIDDEN),
    # scheme://user:password@host; a database's password may hold / and @
    (re.compile(rf"((?:{_DATABASES})://[^\s:/@]*:)[^\s\"']+(@)"), rf"\1{HIDDEN}\2"),
    (re.compile(r"(\w://[^\s:/@]*:)[^\s/@]+(@)"), rf"\1{HIDDEN}\2"),
]


def redact(text: str) -> str:
    """The text with the values of secrets hidden.

    >>> redact("GET /ws/notifications?access_token=abc.def&since=1")
    'GET /ws/notifications?access_token=[hidden]&since=1'
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


class RedactingFormatter(logging.Formatter):
    """Hides secrets in what another formatter made: message, arguments, extra fields and traceback alike."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return redact(self.inner.format(record))


def set_up(*, development: bool, level: int | str = logging.INFO) -> None:
    """Give the root logger a handler unless the server or the host application did; hide secrets in any case.

    >>> set_up(development=True)  # doctest: +SKIP
    """
    root = logging.getLogger()
    if not root.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_formatter(development))
        root.addHandler(handler)
        root.setLevel(level)
    protect(root)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def protect(logger: logging.Logger) -> None:
    """Hide secrets in everything that this logger's own handlers write; a second call changes nothing."""
    for handler in logger.handlers:
        inner = handler.formatter or logging.Formatter()
        if not isinstance(inner, RedactingFormatter):
            handler.setFormatter(RedactingFormatter(inner))


def _formatter(development: bool) -> logging.Formatter:
    if development:
        return logging.Formatter(PLAIN_FORMAT)
    return JsonFormatter(JSON_FIELDS, style="{")
