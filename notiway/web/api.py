"""The HTTP API of the gateway: client tokens, catching up, its description (CONTRACT §3). Always JSON."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from notiway import security_log
from notiway.gateway import admission, client_tokens, openapi
from notiway.live import runtime
from notiway.live.wires.json import notification_list
from notiway.store import inbox
from notiway.store.log import resuming
from notiway.values.errors import Fault, Forbidden, NotiwayError, WrongInput
from notiway.values.item import Item
from notiway.web import auth, publishing, reply

log = logging.getLogger(__name__)

PAGE_LIMIT = 200  # notifications in one answer
PAGE_DEFAULT = 50
PAGE_CHARACTERS = 512 * 1024  # after which a page ends, however few its notifications
READ_AT_ONCE = 20  # of these; each may have a body of 32 KiB


def register(blueprint: Blueprint) -> None:
    """Add the API to a blueprint that asks for no login and no CSRF token: keys and tokens are no cookies."""
    blueprint.add_url_rule(publishing.PATH, "publish", publishing.publish, methods=["POST"])
    blueprint.add_url_rule(publishing.PATH, "after", after, methods=["GET"])
    blueprint.add_url_rule("/api/tokens", "make_token", make_token, methods=["POST"])
    blueprint.add_url_rule("/api/openapi.json", "openapi", describe)
    blueprint.add_url_rule("/api/docs", "api_docs", read_docs)


def make_token() -> ResponseReturnValue:
    """Make a client token for a user."""
    now = runtime.current()
    producer = publishing.producer_of_request("token")
    now.throttle.take("token", now.config.token_rate, producer.id)
    claims = client_tokens.check_request(publishing.json_body())
    wanted = [f"user:{claims.user_id}", *claims.audiences]
    wanted += [f"tenant:{claims.tenant_id}"] if claims.tenant_id else []
    faults = [
        Fault("audiences", f"this key may not request tokens for {key}")
        for key in wanted
        if not publishing.may(producer, "token", key)
    ]
    try:
        if faults:
            raise Forbidden("This key may not make that token", faults)
        admission.check_user(now, claims.user_id)
    except NotiwayError:
        security_log.note("token_not_made", key=producer.id, user=claims.user_id, address=request.remote_addr)
        raise
    token_id = client_tokens.new_id()
    token = client_tokens.mint(now.token_secret, replace(claims, key_id=producer.id, token_id=token_id))
    security_log.note("token_made", key=producer.id, user=claims.user_id, token=token_id, address=request.remote_addr)
    return jsonify(token=token, expiresAt=int(claims.expires_at)), 201


def after() -> ResponseReturnValue:
    """What came after an id, oldest first, for a client that was away."""
    principal = auth.require_principal()
    limit = _limit()
    try:
        cursor = resuming.since(request.args.get("since", ""))
    except ValueError:
        fault = Fault("since", "must be the id of a notification, or a cursor from an earlier response")
        raise WrongInput("The query is not valid", [fault]) from None
    page = _page(principal.user_id, cursor, limit)
    place = page.cursor.as_text()
    return jsonify(
        notifications=notification_list(item.as_dict() for item in page.items),
        unreadCount=inbox.unread_count(principal.user_id),
        nextCursor=place if page.more else None,
        cursor=place,
    )


def _page(user_id: str, cursor: resuming.Cursor, limit: int) -> resuming.Page:
    """So many items, or fewer that are large: an answer waits in memory until its client has read it."""
    items: list[Item] = []
    size = 0
    while True:
        page = resuming.page(user_id, cursor, min(READ_AT_ONCE, limit - len(items)))
        items += page.items
        size += sum(len(json.dumps(item.body)) + len(item.message) for item in page.items)
        if not page.more or len(items) >= limit or size >= PAGE_CHARACTERS:
            return replace(page, items=items)
        cursor = page.cursor


def describe() -> ResponseReturnValue:
    """The OpenAPI 3.1 description of this API."""
    return jsonify(openapi.document(request.script_root + runtime.current().config.url_prefix))


def read_docs() -> ResponseReturnValue:
    """The same, for people."""
    base = runtime.current().config.base_template
    return render_template(
        "notiway/api_docs.html", api=openapi.document(""), notiway_base=base, csrf_token=reply.csrf_token()
    )


def _limit() -> int:
    text = request.args.get("limit", str(PAGE_DEFAULT))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= PAGE_LIMIT:
        raise WrongInput("The query is not valid", [Fault("limit", f"must be a number from 1 to {PAGE_LIMIT}")])
    return int(text)
