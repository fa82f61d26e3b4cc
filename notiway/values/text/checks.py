"""Checks of what others wrote and readers will see: texts, and addresses that they may follow or load."""

from __future__ import annotations

from urllib.parse import urlsplit

from notiway.values.errors import Fault

URL_LIMIT = 2_000  # characters
URL_FAULT = "must be an https: or http: address, or a path on this site"
TEXT_FAULT = "must not contain NUL or unpaired surrogates"


def is_safe_url(url: object) -> bool:
    """Whether a link may be followed: http, https, or a path on this site; without user name and password.

    Browsers read a backslash as a slash and drop control characters (WHATWG URL §4.4), so `/\\host`
    and `java\\nscript:` are refused as they stand.
    """
    if not isinstance(url, str) or not 0 < len(url) <= URL_LIMIT:
        return False
    if "\\" in url or any(not character.isprintable() or character.isspace() for character in url):
        return False
    if url.startswith("/"):
        return not url.startswith("//")
    try:
        parts = urlsplit(url)
        # `https://bank.example@evil.example/` looks like the bank's, and a password would be told to every reader.
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def text_faults(path: str, value: object, limit: int, required: bool = False) -> list[Fault]:
    """What is wrong with a text that is stored and sent: at most one fault, under `path`."""
    if not isinstance(value, str):
        return [Fault(path, "must be text")]
    if required and not value.strip():
        return [Fault(path, "must not be empty")]
    if len(value) > limit:
        return [Fault(path, f"must have at most {limit} characters, has {len(value)}")]
    if "\x00" in value or not _is_unicode(value):
        return [Fault(path, TEXT_FAULT)]
    return []


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
