"""Local URL: a path on this site, the only thing a redirect may take from a request."""

from __future__ import annotations

from urllib.parse import urlsplit

MAX_LENGTH = 2_000  # characters
_FIRST_PRINTABLE = "\x21"
_DELETE = "\x7f"


def local_path(target: str | None) -> str | None:
    """The path itself when it stays on this site, else None.

    Browsers read `\\` as `/`, drop tabs and line ends, and take `//host` for another site
    (WHATWG URL §4.4), so each of these is refused instead of repaired.

    >>> local_path("/notifications?state=unread")
    '/notifications?state=unread'
    >>> local_path("//evil.example") is None
    True
    """
    if not target or len(target) > MAX_LENGTH or not target.startswith("/") or target.startswith("//"):
        return None
    if "\\" in target or any(char < _FIRST_PRINTABLE or char == _DELETE for char in target):
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc else target


def path_of_referrer(referrer: str | None, host_url: str) -> str | None:
    """Path and query of a referrer that is a page of this very site, else None.

    >>> path_of_referrer("https://app.example/dashboard", "https://app.example/")
    '/dashboard'
    """
    if not referrer or not referrer.startswith(host_url):
        return None
    return local_path(referrer[len(host_url) - 1 :].partition("#")[0])
