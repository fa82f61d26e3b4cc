"""Caching: what is a user's own is kept by no browser and no proxy."""

from __future__ import annotations

from flask import Response, request

from notiway.live.carriers.websocket import UPGRADE_FLAG

# What decides who is answered, and in which form (`reply.form`).
VARY = ("Cookie", "Authorization", "Accept", "HX-Request", "HX-Request-Type", "HX-History-Restore-Request")


def keep_nowhere(response: Response) -> Response:
    """Mark an answer as private: one address gives a page, a fragment or JSON, and another to each user."""
    if UPGRADE_FLAG in request.environ or (request.endpoint or "").endswith(".static"):
        return response
    response.headers.setdefault("Cache-Control", "no-store")
    response.vary.update(VARY)
    return response
