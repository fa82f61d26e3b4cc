"""News: what came since a place in the log, for pages that neither a WebSocket nor a stream reaches. They ask often."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, request
from flask.typing import ResponseReturnValue

from notiway.live.carriers.replaying import texts_of
from notiway.live.runtime import current
from notiway.store import inbox
from notiway.store.log import resuming
from notiway.values.errors import Fault, WrongInput
from notiway.web import auth

PATH = "/notifications/news"
PAGE_ITEMS = 100  # in one answer
NEXT = "Notiway-Next"  # header: the address to ask next time
MORE = "Notiway-More"  # header: there is more already, ask at once


def register(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.add_url_rule(PATH, "news", news)


def news() -> ResponseReturnValue:
    """The frames that a live page would have heard since `since`; 204 where all is as this page knows it.

    `changes` and `unread` are what it knows. A page that knows other `changes` than the next address names looks at its
    lists again: something was read or deleted elsewhere.
    """
    user_id = auth.require_user()
    try:
        cursor = resuming.since(request.args.get("since", ""))
    except ValueError:
        fault = Fault("since", "must be the id of a notification, or a cursor from an earlier response")
        raise WrongInput("The query is not valid", [fault]) from None
    # Before what is counted: what changes in between is then looked at again, instead of missed.
    changes = str(inbox.changes(user_id))
    page = resuming.page(user_id, cursor, PAGE_ITEMS)
    unread = inbox.unread_count(user_id)
    if not page.items and (changes, str(unread)) == (request.args.get("changes"), request.args.get("unread")):
        return make_response("", 204)
    now = current()
    html = now.formats["html"]
    frames = [*texts_of(html, page.items), html.wire.heartbeat(unread)]
    answer: Response = make_response("\n".join(frame for frame in frames if frame))
    known = urlencode({"since": page.cursor.as_text(), "changes": changes, "unread": unread})
    answer.headers[NEXT] = f"{now.url(PATH)}?{known}"
    if page.more:
        answer.headers[MORE] = "1"
    return answer
