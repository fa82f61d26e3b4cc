"""Envelope: the JSON that a producer publishes, checked as a whole (CONTRACT §3)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from notiway.gateway.envelope_model import KIND, TENANT, VALUE, EnvelopeModel, Metadata, shaped, unknown_fields
from notiway.gateway.plain_envelope import plain
from notiway.values.audience import BROADCAST_TYPES, Audience, AudienceType
from notiway.values.clock import milliseconds
from notiway.values.draft import LABEL_LIMIT, MESSAGE_LIMIT, TITLE_LIMIT, Draft, replaces_faults, words_of
from notiway.values.errors import Fault, InvalidNotification
from notiway.values.kinds.details import actor_name, answered_faults
from notiway.values.kinds.registry import Kinds

DEFAULT_TTL_MS = 30 * 60 * 1000  # of a persisted envelope that names no end
RICH = ("icon", "category", "image", "actor", "actions")
UNDECLARED = Kinds()
SEVERITY_TYPES = {"info": "info", "success": "success", "warning": "warning", "error": "error", "critical": "error"}


@dataclass(frozen=True, slots=True)
class Envelope:
    """A good envelope: what to say, to whom, and whether it is stored; `warnings` name what was passed over in it."""

    id: str
    audience: Audience
    draft: Draft
    persisted: bool
    replaces: str | None = None
    warnings: tuple[Fault, ...] = ()
    body_text: str | None = field(default=None, compare=False)  # the body as JSON, where it was made already


def parse(raw: object, producer: str, now_ms: int, publisher: str = "app", kinds: Kinds = UNDECLARED) -> Envelope:
    """Check one envelope; `InvalidNotification` names every fault with its path, those of shape and of rules together.

    `producer` is the label where the metadata name none; `publisher` is whose id it is; `kinds` are those declared.

    >>> parse({"id": "1", "type": "ping", "routing": {"audienceType": 1}}, "billing", 0).audience.key
    'global'
    """
    found_plain = plain(raw, producer, now_ms, publisher, DEFAULT_TTL_MS, kinds)
    if found_plain is not None:
        return Envelope(*found_plain)
    return _parse_closely(raw, producer, now_ms, publisher, kinds)


def _parse_closely(raw: object, producer: str, now_ms: int, publisher: str, kinds: Kinds) -> Envelope:
    faults: list[Fault] = []
    model = shaped(raw, faults)
    wrong = {fault.path for fault in faults}
    draft = _draft(model, producer, now_ms, publisher, kinds)
    if not wrong & {"routing", KIND}:
        faults += routing_faults(
            AudienceType(model.routing.audienceType), model.routing.audienceValue, model.routing.tenantId, wrong
        )
    if model.metadata.isPersisted and model.routing.audienceType == AudienceType.CONNECTION:
        faults.append(Fault("metadata.isPersisted", "must be false for a connection, which does not last"))
    found = draft.faults(now_ms) + replaces_faults(model.metadata.replaces, model.metadata.isPersisted)
    found += kinds.answer_faults(model.type, draft.details, is_own=False)
    found += answered_faults(draft.details, model.metadata.isPersisted)
    faults += [Fault(_PATHS.get(fault.path, fault.path), fault.message) for fault in found]
    if faults:
        # Without doubles: the producer is also the draft's source.
        raise InvalidNotification("The envelope is not valid", list(dict.fromkeys(faults)))
    routing = model.routing
    audience = audience_of(AudienceType(routing.audienceType), routing.audienceValue, routing.tenantId)
    metadata = model.metadata
    warnings = (*unknown_fields(raw), *_severity_warnings(model))
    return Envelope(model.id, audience, draft, metadata.isPersisted, metadata.replaces, warnings)


_PATHS = {
    "title": "body.title",
    "message": "body.message",
    "action_url": "body.actionUrl",
    "expires_at": "metadata.persistedTTL",
    "sent_at": "metadata.timeStamp",
    "producer": "metadata.producer",
    "source": "metadata.producer",
    "replaces": "metadata.replaces",
    "name": "type",
    "group_key": "groupKey",
    "dedupe_key": "id",
}


def routing_faults(
    kind: AudienceType, value: str | None, tenant: str | None, wrong: Collection[str] = ()
) -> list[Fault]:
    """What is wrong with a routing; `wrong` names the parts that are there but have no good shape."""
    found = []
    if kind is AudienceType.GLOBAL:
        if tenant:
            found.append(Fault(TENANT, "must be null for Global; use audienceType 2 for a tenant"))
        return found
    if kind is AudienceType.TENANT:
        if value and tenant and value != tenant:
            found.append(Fault(TENANT, "must equal audienceValue where both are given"))
        if not value and not tenant and VALUE not in wrong and TENANT not in wrong:
            found.append(Fault(VALUE, "is required for a tenant"))
    elif not value and VALUE not in wrong:
        found.append(Fault(VALUE, f"is required for a {kind.name.lower()}"))
    found += _part_faults(VALUE, value, colon_allowed=kind not in BROADCAST_TYPES)
    if kind in BROADCAST_TYPES:
        found += _part_faults(TENANT, tenant, colon_allowed=False)
    return found


def _part_faults(path: str, part: str | None, *, colon_allowed: bool) -> list[Fault]:
    if part and not part.isprintable():
        return [Fault(path, "must contain only printable characters")]
    if part and ":" in part and not colon_allowed:
        return [Fault(path, "must not contain a colon, which separates tenant and group")]
    return []


def audience_of(kind: AudienceType, value: str | None, tenant: str | None) -> Audience:
    """The audience of a routing; `ValueError` if there is none. A tenant scopes a group only."""
    if kind is AudienceType.GLOBAL:
        return Audience.everyone()
    if kind is AudienceType.TENANT:
        return Audience.tenant(value or tenant or "")
    return Audience(kind, value or "", (tenant or None) if kind is AudienceType.GROUP else None)


def _draft(model: EnvelopeModel, producer: str, now_ms: int, publisher: str, kinds: Kinds) -> Draft:
    body, metadata = model.body, model.metadata
    severity = body.get("severity")
    title, message = body.get("title"), body.get("message")
    return Draft(
        # Bodies are the producer's own: what is not text, or too long, is left to its clients.
        title=title[:TITLE_LIMIT] if isinstance(title, str) and title.strip() else words_of(model.type),
        message=message[:MESSAGE_LIMIT] if isinstance(message, str) else "",
        type=SEVERITY_TYPES.get(severity, "info") if isinstance(severity, str) else "info",
        name=model.type,
        priority=model.priority or kinds.priority_of(model.type),
        action_url=body.get("actionUrl"),
        group_key=model.groupKey,
        source=(metadata.producer or producer)[:LABEL_LIMIT],
        actor=actor_name(model.actor),
        details=kinds.details_of(model.type, {name: getattr(model, name) for name in RICH}),
        body=body,
        expires_at=_expiry(metadata, now_ms),
        dedupe_key=model.id,
        producer=metadata.producer or producer,
        publisher=publisher,
        sent_at=None if metadata.timeStamp is None else milliseconds(metadata.timeStamp),
    )


def _expiry(metadata: Metadata, now_ms: int) -> int | None:
    if metadata.persistedTTL is not None:
        return milliseconds(metadata.persistedTTL)
    return now_ms + DEFAULT_TTL_MS if metadata.isPersisted else None


def _severity_warnings(model: EnvelopeModel) -> list[Fault]:
    severity = model.body.get("severity")
    if severity is None or (isinstance(severity, str) and severity in SEVERITY_TYPES):
        return []
    return [Fault("body.severity", f"is not known, so it shows as info; use one of {', '.join(SEVERITY_TYPES)}")]
