"""Envelope: the JSON that a producer publishes, checked as a whole (CONTRACT §3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError

from notiway.values.audience import MAX_PART_LENGTH, Audience, AudienceType
from notiway.values.clock import milliseconds
from notiway.values.draft import LABEL_LIMIT, MESSAGE_LIMIT, NAME_PATTERN, TITLE_LIMIT, Draft
from notiway.values.errors import Fault, InvalidNotification

DEFAULT_TTL_MS = 30 * 60 * 1000  # of a persisted envelope that names no end
SEVERITY_TYPES = {"info": "info", "success": "success", "warning": "warning", "error": "error", "critical": "error"}
WORD_BREAKS = re.compile(r"[._-]+")

Label = Annotated[str, Field(min_length=1, max_length=LABEL_LIMIT)]
Part = Annotated[str, Field(max_length=MAX_PART_LENGTH)]


def _text_only(value: object) -> object:
    if isinstance(value, str):
        return value
    raise ValueError("must be a date and time in ISO 8601")


Moment = Annotated[datetime, Strict(strict=False), BeforeValidator(_text_only)]


class _Model(BaseModel):
    # Unknown fields are passed over, so that a newer producer can talk to an older gateway.
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Routing(_Model):
    """Who it is for. 1 Global, 2 Tenant, 3 Group, 4 User, 5 Connection."""

    audienceType: Annotated[int, Field(ge=1, le=5)]  # noqa: N815 - the wire's names are fixed
    audienceValue: Part | None = None  # noqa: N815
    tenantId: Part | None = None  # noqa: N815


class Metadata(_Model):
    """Where it comes from, and whether it is kept."""

    producer: Label | None = None
    timeStamp: Moment | None = None  # noqa: N815
    isPersisted: bool = False  # noqa: N815
    persistedTTL: Moment | None = None  # noqa: N815


class EnvelopeModel(_Model):
    """The JSON of one envelope."""

    id: Label
    type: Annotated[str, Field(min_length=1, max_length=LABEL_LIMIT, pattern=f"^{NAME_PATTERN.pattern}$")]
    body: dict[str, Any] = Field(default_factory=dict)
    routing: Routing
    metadata: Metadata = Metadata()
    priority: Literal["urgent", "high", "medium", "low"] | None = None
    groupKey: Label | None = None  # noqa: N815


@dataclass(frozen=True, slots=True)
class Envelope:
    """A good envelope: what to say, to whom, and whether it is stored."""

    id: str
    audience: Audience
    draft: Draft
    persisted: bool


def parse(raw: object, producer: str, now_ms: int) -> Envelope:
    """Check one envelope; `InvalidNotification` names every fault with its path.

    `producer` is used where the metadata name none.

    >>> parse({"id": "1", "type": "ping", "routing": {"audienceType": 1}}, "billing", 0).audience.key
    'global'
    """
    faults: list[Fault] = []
    try:
        model = EnvelopeModel.model_validate(raw)
    except ValidationError as error:
        faults += [Fault(_path(each["loc"]), each["msg"]) for each in error.errors(include_url=False)]
        raise InvalidNotification("The envelope is not valid", faults) from None
    audience = _audience(model.routing, faults)
    expires_at = _expiry(model.metadata, now_ms)
    draft = _draft(model, producer, expires_at)
    if model.metadata.isPersisted and audience is not None and audience.type is AudienceType.CONNECTION:
        faults.append(Fault("metadata.isPersisted", "must be false for a connection, which is gone tomorrow"))
    faults += [Fault(_PATHS.get(fault.path, fault.path), fault.message) for fault in draft.faults(now_ms)]
    faults = list(dict.fromkeys(faults))  # producer and source are one field here
    if faults or audience is None:
        raise InvalidNotification("The envelope is not valid", faults)
    return Envelope(model.id, audience, draft, model.metadata.isPersisted)


_PATHS = {
    "title": "body.title",
    "message": "body.message",
    "action_url": "body.actionUrl",
    "expires_at": "metadata.persistedTTL",
    "sent_at": "metadata.timeStamp",
    "producer": "metadata.producer",
    "source": "metadata.producer",
    "name": "type",
    "group_key": "groupKey",
    "dedupe_key": "id",
    "type": "body.severity",
}


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "envelope"


def _audience(routing: Routing, faults: list[Fault]) -> Audience | None:
    kind, value, tenant = AudienceType(routing.audienceType), routing.audienceValue, routing.tenantId
    before = len(faults)
    if kind is AudienceType.TENANT:
        if value and tenant and value != tenant:
            faults.append(Fault("routing.tenantId", "must equal audienceValue where both are given"))
        if not value and not tenant:
            faults.append(Fault("routing.audienceValue", "is required for a tenant"))
        value = value or tenant
    elif kind is AudienceType.GLOBAL:
        if tenant:
            faults.append(Fault("routing.tenantId", "must be null for Global; use audienceType 2 for a tenant"))
    elif not value:
        faults.append(Fault("routing.audienceValue", f"is required for a {kind.name.lower()}"))
    if len(faults) > before:
        return None
    try:
        return audience_of(kind, value, tenant)
    except ValueError as error:
        faults.append(Fault("routing.audienceValue", str(error)))
        return None


def audience_of(kind: AudienceType, value: str | None, tenant: str | None) -> Audience:
    """The audience of a routing; `ValueError` if there is none. A tenant scopes a group only."""
    if kind is AudienceType.GLOBAL:
        return Audience.everyone()
    return Audience(kind, value or "", (tenant or None) if kind is AudienceType.GROUP else None)


def _expiry(metadata: Metadata, now_ms: int) -> int | None:
    if metadata.persistedTTL is not None:
        return milliseconds(metadata.persistedTTL)
    return now_ms + DEFAULT_TTL_MS if metadata.isPersisted else None


def _draft(model: EnvelopeModel, producer: str, expires_at: int | None) -> Draft:
    body: Mapping[str, Any] = model.body
    severity = body.get("severity")
    title, message = body.get("title"), body.get("message")
    return Draft(
        # Bodies are the producer's own: what is not text, or too long, is left to its clients.
        title=title[:TITLE_LIMIT] if isinstance(title, str) and title.strip() else _words(model.type),
        message=message[:MESSAGE_LIMIT] if isinstance(message, str) else "",
        type=SEVERITY_TYPES.get(severity, "info") if isinstance(severity, str) else "info",
        name=model.type,
        priority=model.priority or "medium",
        action_url=body.get("actionUrl"),
        group_key=model.groupKey,
        source=(model.metadata.producer or producer)[:LABEL_LIMIT],
        body=model.body,
        expires_at=expires_at,
        dedupe_key=model.id,
        producer=model.metadata.producer or producer,
        sent_at=None if model.metadata.timeStamp is None else milliseconds(model.metadata.timeStamp),
    )


def _words(name: str) -> str:
    """`order-shipped` as a title: `Order shipped`."""
    words = WORD_BREAKS.sub(" ", name).strip()
    return (words[:1].upper() + words[1:])[:TITLE_LIMIT]
