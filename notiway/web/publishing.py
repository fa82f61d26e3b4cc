"""Publishing over HTTP: who may, and what is answered to each envelope (CONTRACT §3)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue
from pydantic_core import to_json

from notiway import security_log
from notiway.gateway import envelope
from notiway.gateway.envelope import Envelope
from notiway.gateway.publish import Outcome, publish_envelopes
from notiway.live import runtime
from notiway.live.runtime import Runtime
from notiway.pausing import in_stretches
from notiway.store.credentials import api_keys
from notiway.store.credentials.api_keys import Producer
from notiway.values.audience import AudienceType
from notiway.values.clock import now_ms
from notiway.values.errors import BrokerDown, Fault, Forbidden, NotiwayError, TooLarge, Unauthorized
from notiway.values.kinds.registry import Kinds
from notiway.web import auth, body

log = logging.getLogger(__name__)

PATH = "/api/notifications"
ANY = "*"  # every audience
BATCH_LIMIT = 1_000  # envelopes in one request
BODY_LIMIT_BYTES = 16 * 1024 * 1024
UNKNOWN_USER = "no user here has this id (where users live elsewhere, set NOTIWAY_USERS=external)"


def publish() -> ResponseReturnValue:
    """Take one envelope, or up to 1,000 of them, each on its own: one bad item harms no other."""
    now = runtime.current()
    now.wait_for_room()  # first, so that a refusal costs little
    small = body.take_small()  # before the database is asked: so that one connection serves for all of it
    producer = producer_of_request("publish")
    given = json_body() if small is None else body.value_of(small)
    raw = given if isinstance(given, list) else [given]
    if len(raw) > BATCH_LIMIT:
        raise TooLarge(f"At most {BATCH_LIMIT} envelopes in one request, not {len(raw)}")
    now.throttle.take("publish", now.config.publish_rate, producer.id, max(len(raw), 1))
    moment = now_ms()
    results: list[Envelope | NotiwayError] = [_parsed(each, producer, moment, now.kinds) for each in in_stretches(raw)]
    if not isinstance(given, list) and isinstance(results[0], NotiwayError):
        raise results[0]
    answered = answers(now, results)
    if isinstance(given, list):
        return Response(to_json(answered), mimetype=body.JSON_TYPE)
    if "error" in answered[0]:
        raise BrokerDown("an envelope that is not to be kept cannot be told")
    return Response(to_json(answered[0]), 200 if answered[0]["duplicate"] else 201, mimetype=body.JSON_TYPE)


def answers(now: Runtime, results: Sequence[Envelope | NotiwayError]) -> list[dict[str, Any]]:
    """Publish the good ones; what is answered to each."""
    good = [each for each in results if isinstance(each, Envelope)]
    outcomes = publish_envelopes(now, good)
    unknown = _unknown_users(now, good)
    answered = iter(outcomes)
    return [
        each.as_dict() if isinstance(each, NotiwayError) else _answer(next(answered), unknown)
        for each in in_stretches(results)
    ]


def producer_of_request(scope: str) -> Producer:
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


def may(producer: Producer, scope: str, audience: str) -> bool:
    """Whether a key may do this for an audience."""
    patterns = _patterns(producer.scopes, scope)
    return ANY in patterns or any(fnmatchcase(audience, pattern) for pattern in patterns)


def may_be_called(producer: Producer, label: str) -> bool:
    """Whether a key may publish under this producer's name."""
    names = _names(producer.scopes)
    return not names or label == producer.name or any(fnmatchcase(label, name) for name in names)


def publisher_of(producer: Producer) -> str:
    """Whose ids the envelopes of this key are."""
    return f"key:{producer.id}"


def json_body() -> Any:
    """The JSON value in the body of a program's request; a body may be larger than a page's."""
    request.max_content_length = BODY_LIMIT_BYTES
    if (request.content_length or 0) > BODY_LIMIT_BYTES:
        raise TooLarge(f"At most {BODY_LIMIT_BYTES} bytes in one request")
    return body.read()


@lru_cache
def _patterns(scopes: tuple[str, ...], scope: str) -> tuple[str, ...]:
    return tuple(each.partition(":")[2] or ANY for each in scopes if each.partition(":")[0] == scope)


@lru_cache
def _names(scopes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each.removeprefix(api_keys.PRODUCER) for each in scopes if each.startswith(api_keys.PRODUCER))


def _parsed(raw: object, producer: Producer, moment: int, kinds: Kinds) -> Envelope | NotiwayError:
    try:
        parsed = envelope.parse(raw, producer.name, moment, publisher_of(producer), kinds)
    except NotiwayError as error:
        return error
    faults = []
    if not may(producer, "publish", parsed.audience.key):
        faults.append(Fault("routing", f"this key may not publish to {parsed.audience.key}"))
    if not may_be_called(producer, parsed.draft.producer):
        faults.append(Fault("metadata.producer", "this key may not use this producer name"))
    if faults:
        security_log.note("key_refused", key=producer.id, audience=parsed.audience.key, address=request.remote_addr)
    return Forbidden("This key may not publish that", faults) if faults else parsed


def _unknown_users(now: Runtime, envelopes: Sequence[Envelope]) -> set[str]:
    """The users among those addressed whom the application does not know; asked when all is done, to warn only."""
    ids = {each.audience.value for each in envelopes if each.audience.type is AudienceType.USER}
    try:
        return now.unknown_users(ids) if ids else set()
    except Exception:
        log.exception("the application could not say which users exist; the envelopes were taken without warnings")
        return set()


def _answer(outcome: Outcome, unknown_users: set[str]) -> dict[str, Any]:
    if outcome.fault is not None:
        return outcome.fault.as_dict()
    audience = outcome.envelope.audience
    answer: dict[str, Any] = {
        "id": outcome.envelope.id,
        "audienceId": audience.key.removeprefix("connection:"),
        "persisted": outcome.envelope.persisted,
        "duplicate": outcome.duplicate,
    }
    warnings = list(outcome.warnings)
    if unknown_users and audience.type is AudienceType.USER and audience.value in unknown_users:
        warnings.append(Fault("routing.audienceValue", UNKNOWN_USER))
    if warnings:
        answer["warnings"] = [asdict(each) for each in warnings]
    return answer
