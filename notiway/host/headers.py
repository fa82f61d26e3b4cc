"""Headers: what every answer of the host application tells the browser to refuse."""

from __future__ import annotations

from flask import Flask, Response, request

from notiway.live.carriers.websocket import UPGRADE_FLAG
from notiway.web.caching import vary

POLICY = "Content-Security-Policy"
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
    POLICY: CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
STRICT_TRANSPORT = ("Strict-Transport-Security", f"max-age={ONE_YEAR}")
VARY = ("Cookie", "Accept", "HX-Request")
_BY_LOWER_NAME = [(name.lower(), (name, value)) for name, value in ALWAYS.items()]


def protect(app: Flask, live_url: str = "") -> None:
    """Add the headers to every answer of this application; its pages may connect to `live_url` too, if there is one."""
    by_lower_name = _BY_LOWER_NAME
    if live_url:
        allowed = f"connect-src 'self' {live_url} ws{live_url.removeprefix('http')}"
        policy = CONTENT_SECURITY_POLICY.replace("connect-src 'self'", allowed)
        by_lower_name = [(name.lower(), (name, value)) for name, value in (ALWAYS | {POLICY: policy}).items()]
    app.after_request(lambda response: _add(response, by_lower_name))


def _add(response: Response, by_lower_name: list[tuple[str, tuple[str, str]]]) -> Response:
    if UPGRADE_FLAG in request.environ:
        return response  # stays here: the handshake has answered
    headers = response.headers
    named = {name.lower() for name, _ in headers}  # once: each look for a single one would walk through all
    added = [pair for name, pair in by_lower_name if name not in named]
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
