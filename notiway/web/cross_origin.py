"""Other origins: which pages of other sites may read answers here (Fetch standard, CORS protocol)."""

from __future__ import annotations

from flask import Response, request

from notiway.live.carriers.websocket import UPGRADE_FLAG
from notiway.live.runtime import current
from notiway.web.caching import vary

HEADERS = "Authorization, Content-Type, X-Requested-With, X-SignalR-User-Agent"


def allow(response: Response) -> Response:
    """Let the pages of allowed origins read this answer, with a token or with this site's cookie."""
    if _allow(response):
        response.headers["Access-Control-Allow-Credentials"] = "true"
    return response


def allow_tokens(response: Response) -> Response:
    """Let them read it with a token only: what a cookie opens here is for this site's own pages."""
    _allow(response)
    return response


def _allow(response: Response) -> bool:
    environ = request.environ
    if UPGRADE_FLAG in environ:
        return False  # stays here: the handshake has answered
    origin = environ.get("HTTP_ORIGIN")
    vary(response, ("Origin",))
    if origin is None or origin not in current().config.allowed_origins:
        return False
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Allow-Headers"] = HEADERS
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
    return True
