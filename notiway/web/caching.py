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
    vary(response, VARY)
    return response


def vary(response: Response, names: tuple[str, ...]) -> None:
    """Say that an answer depends on these headers of the request, beside those that it names already."""
    given = response.headers.get("Vary")
    if given is None:
        response.headers["Vary"] = ", ".join(names)
        return
    listed = {name.strip().lower() for name in given.split(",")}
    response.headers["Vary"] = ", ".join([given, *(name for name in names if name.lower() not in listed)])
