"""Plain envelopes: those that nothing could be wrong with and no warning belongs to, recognised at a tenth of the cost.

What is not plain is not wrong: it only takes the way of `envelope.parse`, which names faults and warnings.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic_core import PydanticSerializationError, to_json
from typing_extensions import TypedDict  # pydantic asks for its own before Python 3.12

from notiway.values.audience import MAX_PART_LENGTH, Audience, AudienceType
from notiway.values.clock import EARLIEST_MS, LATEST_MS, milliseconds
from notiway.values.draft import (
    BODY_DEPTH_LIMIT,
    BODY_LIMIT_BYTES,
    LABEL_LIMIT,
    MESSAGE_LIMIT,
    NAME_PATTERN,
    RESERVED_NAMES,
    TITLE_LIMIT,
    Draft,
    is_safe_url,
    words_of,
)
from notiway.values.kinds.registry import Kinds

SEVERITIES = {None: "info", "info": "info", "success": "success", "warning": "warning", "error": "error",
              "critical": "error"}  # fmt: skip
# In a body's text they may be what no database and no JSON takes; in a word of it they cost only time.
NUL, INFINITE, NOT_A_NUMBER = "\\u0000", "Infinity", "NaN"

# Printable ASCII, with no space at its ends: none of it can be NUL, half a surrogate pair or an empty text.
Text = Annotated[str, Field(pattern=r"^[!-~]([ -~]*[!-~])?$", max_length=LABEL_LIMIT)]
Part = Annotated[str, Field(pattern=r"^[!-~]([ -~]*[!-~])?$", max_length=MAX_PART_LENGTH)]
Name = Annotated[str, Field(pattern=f"^{NAME_PATTERN.pattern}$", max_length=LABEL_LIMIT)]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$")]
STRICT = ConfigDict(extra="forbid", strict=True)


# What is in a body: deeper ones are looked at closely. pydantic's own JsonValue is recursive, and five times slower.
Leaf = str | int | float | bool | None
Twig = Leaf | list[Leaf] | dict[str, Leaf]
Branch = Leaf | list[Twig] | dict[str, Twig]
Body = dict[str, Leaf | list[Branch] | dict[str, Branch]]


class _Routing(TypedDict):
    __pydantic_config__ = STRICT  # type: ignore[misc]  # as pydantic's documentation has it
    audienceType: Annotated[int, Field(ge=1, le=5)]
    audienceValue: NotRequired[Part | None]
    tenantId: NotRequired[Part | None]


class _Metadata(TypedDict):
    __pydantic_config__ = STRICT  # type: ignore[misc]
    producer: NotRequired[Text | None]
    timeStamp: NotRequired[Moment | None]
    isPersisted: NotRequired[bool]
    persistedTTL: NotRequired[Moment | None]
    replaces: NotRequired[Text | None]


class _Plain(TypedDict):
    __pydantic_config__ = STRICT  # type: ignore[misc]
    id: Text
    type: Name
    body: NotRequired[Body]
    routing: _Routing
    metadata: NotRequired[_Metadata]
    priority: NotRequired[Literal["urgent", "high", "medium", "low"] | None]
    groupKey: NotRequired[Text | None]


_is_plain = TypeAdapter(_Plain).validator.isinstance_python
_NOTHING: Mapping[str, Any] = {}


class Plain(NamedTuple):
    """What a plain envelope says, in the order of `Envelope`'s fields."""

    id: str
    audience: Audience
    draft: Draft
    persisted: bool
    replaces: str | None
    warnings: tuple[()]
    body_text: str


def plain(raw: Any, producer: str, now_ms: int, publisher: str, ttl_ms: int, kinds: Kinds) -> Plain | None:
    """What a plain envelope says; None for one that must be looked at closely.

    `ttl_ms` is how long one lives that names no end; its kind says the priority where it says none itself.
    """
    if type(raw) is not dict or not _is_plain(raw):
        return None
    metadata, body, name = raw.get("metadata", _NOTHING), raw.get("body"), raw["type"]
    routing = raw["routing"]
    audience = _audience(routing["audienceType"], routing.get("audienceValue"), routing.get("tenantId"))
    is_persisted = metadata.get("isPersisted", False)
    if audience is None or name.lower() in RESERVED_NAMES:
        return None
    if is_persisted and (audience.type is AudienceType.CONNECTION or metadata.get("replaces") is not None):
        return None
    body = {} if body is None else body
    text = _body_text(body)
    severity = body.get("severity")
    kind = SEVERITIES.get(severity) if severity is None or type(severity) is str else None
    action_url = body.get("actionUrl")
    if text is None or kind is None or not (action_url is None or is_safe_url(action_url)):
        return None
    try:
        sent_at, ends_at = _moment(metadata.get("timeStamp")), _moment(metadata.get("persistedTTL"))
    except ValueError:
        return None
    if ends_at is None:
        ends_at = now_ms + ttl_ms if is_persisted else None
    elif ends_at <= now_ms:
        return None
    title, message = body.get("title"), body.get("message")
    label = metadata.get("producer") or producer
    draft = Draft(
        title[:TITLE_LIMIT] if type(title) is str and title.strip() else words_of(name),
        message[:MESSAGE_LIMIT] if type(message) is str else "",
        kind,
        name,
        raw.get("priority") or kinds.priority_of(name),
        action_url,
        raw.get("groupKey"),
        label[:LABEL_LIMIT],
        None,
        body,
        ends_at,
        raw["id"],
        label,
        publisher,
        sent_at,
        kinds.details_of(name, _NOTHING),
    )
    return Plain(raw["id"], audience, draft, is_persisted, metadata.get("replaces"), (), text)


def _body_text(body: dict[str, Any]) -> str | None:
    try:
        data = to_json(body)
    except PydanticSerializationError:
        return None
    text = data.decode()
    if len(data) > BODY_LIMIT_BYTES or text.count("{") + text.count("[") > BODY_DEPTH_LIMIT:
        return None
    is_plain = NUL not in text and INFINITE not in text and NOT_A_NUMBER not in text
    return text if is_plain else None


def _moment(text: str | None) -> int | None:
    """Milliseconds since the epoch; `ValueError` for what is no moment, or one that lies too far away."""
    if text is None:
        return None
    found = milliseconds(datetime.fromisoformat(text))
    if not EARLIEST_MS <= found <= LATEST_MS:
        raise ValueError("out of range")
    return found


@lru_cache(maxsize=4096)
def _audience(kind: int, value: str | None, tenant: str | None) -> Audience | None:
    """The audience of a routing that fits together; None for all others."""
    if kind == AudienceType.GLOBAL:
        return Audience.everyone() if value is None and tenant is None else None
    if value is None:
        return None
    try:
        if kind == AudienceType.GROUP:
            return Audience.group(value, tenant)
        return None if tenant is not None else Audience(AudienceType(kind), value)
    except ValueError:
        return None
