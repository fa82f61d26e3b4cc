"""The ticket that a page asks for before each line, where the live process has another origin than the page."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from notiway.gateway import tickets
from notiway.live import runtime
from notiway.store.credentials.tokens import TICKET_SECONDS
from notiway.values.principal import Principal
from notiway.web import auth, sessions

PATH = "/notifications/ticket"


def register(blueprint: Blueprint) -> None:
    """Add the route, which a session cookie and its CSRF token open; it never extends the session."""
    blueprint.add_url_rule(PATH, "ticket", give, methods=["POST"])


def give() -> ResponseReturnValue:
    """A ticket for one connection of the user who is signed in."""
    auth.check_origin()
    auth.check_csrf()
    holder = Principal(auth.require_user(), auth.session_key(), sessions.ends_at())
    origin = request.headers.get("Origin") or f"{request.scheme}://{request.host}"
    return jsonify(ticket=tickets.make(runtime.current(), holder, origin), expiresIn=TICKET_SECONDS)
