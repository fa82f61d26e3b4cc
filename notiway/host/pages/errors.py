"""Errors: the host application's own error pages, in its layout, as a fragment, or as JSON."""

from __future__ import annotations

import logging

from flask import Flask, current_app, make_response, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from notiway.values.errors import Unauthorized, Unavailable
from notiway.web import reply

log = logging.getLogger(__name__)

TEXTS = {
    400: ("WrongInput", "That did not work", "The request could not be understood."),
    401: ("Unauthorized", "Sign in first", "You are not signed in."),
    403: ("Forbidden", "Not allowed", "You may not do this."),
    404: ("NotFound", "Nothing here", "This page does not exist, or it is not yours."),
    405: ("WrongInput", "That did not work", "This address does not accept this kind of request."),
    413: ("TooLarge", "Too large", "The request is larger than this site accepts."),
    429: ("Throttled", "Slow down", "Too many requests in a short time. Wait a little and try again."),
    503: ("Unavailable", "Back in a moment", "This site cannot answer right now. Try again in a few seconds."),
}
BROKEN = ("Error", "Something broke", "Something went wrong on our side. It has been logged; please try again.")
BROKEN_FROM = 500  # the first status that says: the fault is ours
EXPIRED_FORM = "This form has expired. Load the page again and repeat what you did."


def register(app: Flask) -> None:
    """Add the error pages to the application."""
    app.register_error_handler(HTTPException, show)
    reply.register(app)


def show(error: HTTPException) -> ResponseReturnValue:
    """One HTTP error, in the form that was asked for."""
    status = error.code or 500
    if error.response is not None or status < 400:
        return error
    if isinstance(error, CSRFError) and reply.form() == "fragment" and not current_user.is_authenticated:
        # The token went with the session: what the reader of an old page has to do is to sign in.
        return reply.failure(Unauthorized("Sign in first"))
    code, heading, text = TEXTS.get(status, BROKEN if status >= BROKEN_FROM else TEXTS[400])
    if isinstance(error, CSRFError):
        text = EXPIRED_FORM
    elif status in TEXTS and error.description and error.description != type(error).description:
        text = error.description
    asked = reply.form()
    body: object
    if asked == "json":
        body = {"error": {"code": code, "message": text, "fields": []}}
    elif asked == "fragment":
        body = _draw("notiway/toast/_error.html", status, code=code, message=text)
    else:
        body = _draw("host/error.html", status, heading=heading, text=text, status=status)
    response = make_response(body, status)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers.setdefault(name, value)
    return response


def _draw(template: str, kind: int, **context: object) -> str:
    """A fault of ours is told without user and bell: what broke may be the database that they are read from."""
    if kind < BROKEN_FROM:
        try:
            return render_template(template, **context)
        except Unavailable as error:
            log.warning("an error page was drawn without its user: %s", error.reason)
    return current_app.jinja_env.get_template(template).render(context | {"bare": True})
