"""Headers: what every answer of the host application tells the browser to refuse."""

from __future__ import annotations

from flask import Flask, Response, request

from notiway.live.carriers.websocket import UPGRADE_FLAG
from notiway.web.caching import vary

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
ONE_YEAR = 31_536_000  # seconds
ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
STRICT_TRANSPORT = ("Strict-Transport-Security", f"max-age={ONE_YEAR}")
VARY = ("Cookie", "Accept", "HX-Request")
_BY_LOWER_NAME = [(name.lower(), (name, value)) for name, value in ALWAYS.items()]


def protect(app: Flask) -> None:
    """Add the headers to every answer of this application."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    if UPGRADE_FLAG in request.environ:
        return response  # stays here: the handshake has answered
    headers = response.headers
    named = {name.lower() for name, _ in headers}  # once: each look for a single one would walk through all
    added = [pair for name, pair in _BY_LOWER_NAME if name not in named]
    if request.is_secure and "strict-transport-security" not in named:
        added.append(STRICT_TRANSPORT)
    if not (request.endpoint or "").endswith("static"):
        if "cache-control" not in named:
            added.append(("Cache-Control", "no-store"))
        if "vary" in named:
            vary(response, VARY)
        else:
            added.append(("Vary", ", ".join(VARY)))
    headers.extend(added)
    return response
