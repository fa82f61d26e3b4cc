"""The HTTP API of the gateway: publishing, client tokens, catching up (CONTRACT §3). Always JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from fnmatch import fnmatchcase
from typing import Any

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from notiway import security_log
from notiway.gateway import admission, client_tokens, envelope, openapi
from notiway.gateway.envelope import Envelope
from notiway.gateway.publish import Outcome, publish_envelopes
from notiway.live import runtime
from notiway.live.runtime import Runtime
from notiway.live.wires.json import notification_list
from notiway.pausing import in_stretches
from notiway.store import inbox
from notiway.store.credentials import api_keys
from notiway.store.credentials.api_keys import Producer
from notiway.store.log import resuming
from notiway.values.audience import AudienceType
from notiway.values.clock import now_ms
from notiway.values.errors import Fault, Forbidden, NotiwayError, TooLarge, Unauthorized, WrongInput
from notiway.values.item import Item
from notiway.web import auth, body, reply

log = logging.getLogger(__name__)

BATCH_LIMIT = 1_000  # envelopes in one request
BODY_LIMIT_BYTES = 16 * 1024 * 1024
PAGE_LIMIT = 200  # notifications in one answer
PAGE_DEFAULT = 50
PAGE_CHARACTERS = 512 * 1024  # after which a page ends, however few its notifications
READ_AT_ONCE = 20  # of these; each may have a body of 32 KiB
UNKNOWN_USER = "no user here has this id (where users live elsewhere, set NOTIWAY_USERS=external)"


def register(blueprint: Blueprint) -> None:
    """Add the API to a blueprint that asks for no login and no CSRF token: keys and tokens are no cookies."""
    blueprint.add_url_rule("/api/notifications", "publish", publish, methods=["POST"])
    blueprint.add_url_rule("/api/notifications", "after", after, methods=["GET"])
    blueprint.add_url_rule("/api/tokens", "make_token", make_token, methods=["POST"])
    blueprint.add_url_rule("/api/openapi.json", "openapi", describe)
    blueprint.add_url_rule("/api/docs", "api_docs", read_docs)


def publish() -> ResponseReturnValue:
    """Take one envelope, or up to 1,000 of them, each on its own: one bad item harms no other."""
    now = runtime.current()
    now.wait_for_room()  # first, so that a refusal costs little
    producer = _producer("publish")
    body = _json()
    raw = body if isinstance(body, list) else [body]
    if len(raw) > BATCH_LIMIT:
        raise TooLarge(f"At most {BATCH_LIMIT} envelopes in one request, not {len(raw)}")
    now.throttle.take("publish", now.config.publish_rate, producer.id, max(len(raw), 1))
    results: list[Envelope | NotiwayError] = [_parsed(each, producer) for each in in_stretches(raw)]
    if not isinstance(body, list) and isinstance(results[0], NotiwayError):
        raise results[0]
    good = [each for each in results if isinstance(each, Envelope)]
    outcomes = iter(publish_envelopes(now, good))
    unknown = _unknown_users(now, good)
    answers = [
        each.as_dict() if isinstance(each, NotiwayError) else _answer(next(outcomes), unknown) for each in results
    ]
    if isinstance(body, list):
        return jsonify(answers)
    return jsonify(answers[0]), 200 if answers[0]["duplicate"] else 201


def make_token() -> ResponseReturnValue:
    """Make a client token for a user."""
    now = runtime.current()
    producer = _producer("token")
    now.throttle.take("token", now.config.token_rate, producer.id)
    claims = client_tokens.check_request(_json())
    wanted = [f"user:{claims.user_id}", *claims.audiences]
    wanted += [f"tenant:{claims.tenant_id}"] if claims.tenant_id else []
    faults = [
        Fault("audiences", f"this key may not request tokens for {key}")
        for key in wanted
        if not _may(producer, "token", key)
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


def _producer(scope: str) -> Producer:
    """Whose key the request carries; `Unauthorized` or `Forbidden` for one that may not do this."""
    key = auth.given_token() if "Authorization" in request.headers else None
    if not key:
        raise Unauthorized("Send an API key: Authorization: Bearer nw_…")
    producer = api_keys.find(key)
    if producer is None:
        security_log.note("key_refused", address=request.remote_addr)
        raise Unauthorized("This API key is unknown or was revoked")
    if not any(each == scope or each.startswith(f"{scope}:") for each in producer.scopes):
        security_log.note("key_refused", key=producer.id, scope=scope, address=request.remote_addr)
        raise Forbidden(f"This key has no scope {scope!r}")
    api_keys.note_use(producer)
    return producer


def _may(producer: Producer, scope: str, audience: str) -> bool:
    patterns = [each.partition(":")[2] or "*" for each in producer.scopes if each.partition(":")[0] == scope]
    return any(fnmatchcase(audience, pattern) for pattern in patterns)


def _parsed(raw: object, producer: Producer) -> Envelope | NotiwayError:
    try:
        parsed = envelope.parse(raw, producer.name, now_ms(), f"key:{producer.id}")
    except NotiwayError as error:
        return error
    faults = []
    if not _may(producer, "publish", parsed.audience.key):
        faults.append(Fault("routing", f"this key may not publish to {parsed.audience.key}"))
    if not _may_be_called(producer, parsed.draft.producer):
        faults.append(Fault("metadata.producer", "this key may not use this producer name"))
    if faults:
        security_log.note("key_refused", key=producer.id, audience=parsed.audience.key, address=request.remote_addr)
    return Forbidden("This key may not publish that", faults) if faults else parsed


def _may_be_called(producer: Producer, label: str) -> bool:
    names = [each.removeprefix(api_keys.PRODUCER) for each in producer.scopes if each.startswith(api_keys.PRODUCER)]
    return not names or label == producer.name or any(fnmatchcase(label, name) for name in names)


def _unknown_users(now: Runtime, envelopes: Sequence[Envelope]) -> set[str]:
    """The users among those addressed whom the application does not know; asked when all is done, to warn only."""
    ids = {each.audience.value for each in envelopes if each.audience.type is AudienceType.USER}
    try:
        return now.unknown_users(ids) if ids else set()
    except Exception:
        log.exception("the application could not say which users exist; the envelopes were taken without warnings")
        return set()


def _answer(outcome: Outcome, unknown_users: set[str]) -> dict[str, Any]:
    warnings = list(outcome.warnings)
    audience = outcome.envelope.audience
    if audience.type is AudienceType.USER and audience.value in unknown_users:
        warnings.append(Fault("routing.audienceValue", UNKNOWN_USER))
    return {
        "id": outcome.envelope.id,
        "audienceId": outcome.envelope.audience.key.removeprefix("connection:"),
        "persisted": outcome.envelope.persisted,
        "duplicate": outcome.duplicate,
        **({"warnings": [asdict(each) for each in warnings]} if warnings else {}),
    }


def _json() -> Any:
    request.max_content_length = BODY_LIMIT_BYTES
    if (request.content_length or 0) > BODY_LIMIT_BYTES:
        raise TooLarge(f"At most {BODY_LIMIT_BYTES} bytes in one request")
    return body.read()


def _limit() -> int:
    text = request.args.get("limit", str(PAGE_DEFAULT))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= PAGE_LIMIT:
        raise WrongInput("The query is not valid", [Fault("limit", f"must be a number from 1 to {PAGE_LIMIT}")])
    return int(text)
