"""The shape of an envelope: its fields, and what each must be (CONTRACT §3). The rules are in `envelope`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError

from notiway.values.audience import MAX_PART_LENGTH
from notiway.values.draft import LABEL_LIMIT, NAME_FAULT, NAME_PATTERN
from notiway.values.errors import Fault, InvalidNotification
from notiway.values.item import PRIORITIES
from notiway.values.kinds.details import CATEGORY_FAULT, ICON_FAULT
from notiway.values.text.checks import URL_FAULT

VALUE, TENANT, KIND = "routing.audienceValue", "routing.tenantId", "routing.audienceType"
KIND_FAULT = "must be a number: 1 Global, 2 Tenant, 3 Group, 4 User, 5 Connection"
LABEL_FAULT = f"must be text of 1 to {LABEL_LIMIT} characters, without unpaired surrogates"
PART_FAULT = f"must be text of at most {MAX_PART_LENGTH} characters, without unpaired surrogates"
MOMENT_FAULT = "must be a date and time in ISO 8601, such as 2026-01-15T09:00:00Z"
# Of every field: what it must be, and what stands in for it while the rules are asked of the other fields.
SHAPES: dict[str, tuple[str, Any]] = {
    "id": (LABEL_FAULT, "-"),
    "type": (NAME_FAULT, "x"),
    "body": ("must be an object", {}),
    "routing": ("must be an object", {"audienceType": 1}),
    "metadata": ("must be an object", {}),
    "priority": (f"must be one of {', '.join(PRIORITIES)}", None),
    "groupKey": (LABEL_FAULT, None),
    "icon": (ICON_FAULT, None),
    "category": (CATEGORY_FAULT, None),
    "image": (URL_FAULT, None),
    "actor": ("must be a name, or an object with name, image and url", None),
    "actions": ("must be a list of objects with label, url, method, style and name", None),
    KIND: (KIND_FAULT, 1),
    VALUE: (PART_FAULT, None),
    TENANT: (PART_FAULT, None),
    "metadata.producer": (LABEL_FAULT, None),
    "metadata.timeStamp": (MOMENT_FAULT, None),
    "metadata.isPersisted": ("must be true or false", False),
    "metadata.persistedTTL": (MOMENT_FAULT, None),
    "metadata.replaces": (LABEL_FAULT, None),
}

MAX_NAMED = 10  # unknown fields
SHOWN_CHARACTERS = 50  # of an unknown field's name

Label = Annotated[str, Field(min_length=1, max_length=LABEL_LIMIT)]
Part = Annotated[str, Field(max_length=MAX_PART_LENGTH)]


def _text_only(value: object) -> object:
    if isinstance(value, str):
        return value
    raise ValueError(MOMENT_FAULT)


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
    """Where it comes from, whether it is kept, and what it replaces while that waits."""

    producer: Label | None = None
    timeStamp: Moment | None = None  # noqa: N815
    isPersisted: bool = False  # noqa: N815
    persistedTTL: Moment | None = None  # noqa: N815
    replaces: Label | None = None


class EnvelopeModel(_Model):
    """The JSON of one envelope."""

    id: Label
    type: Annotated[str, Field(min_length=1, max_length=LABEL_LIMIT, pattern=f"^{NAME_PATTERN.pattern}$")]
    body: dict[str, Any] = Field(default_factory=dict)
    routing: Routing
    metadata: Metadata = Metadata()
    priority: Literal["urgent", "high", "medium", "low"] | None = None
    groupKey: Label | None = None  # noqa: N815
    icon: str | None = None
    category: str | None = None
    image: str | None = None
    actor: dict[str, Any] | str | None = None
    actions: list[dict[str, Any]] | None = None


def shaped(raw: object, faults: list[Fault]) -> EnvelopeModel:
    """The envelope with its fields in their shapes; each that is not adds a fault, and has a stand-in."""
    if not isinstance(raw, dict):
        raise InvalidNotification("The envelope is not valid", [Fault("envelope", "must be an object")])
    try:
        return EnvelopeModel.model_validate(raw)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    patched = dict(raw)
    for each in found:
        field, *inner = map(str, each["loc"])
        path = ".".join([field, *inner[:1]])
        path = path if path in SHAPES else field
        words, stand_in = SHAPES[path]
        fault = Fault(path, "is required" if each["type"] == "missing" else words)
        faults += [] if fault in faults else [fault]  # one that may have two shapes is named for each
        patched[field] = stand_in if path == field else {**patched[field], inner[0]: stand_in}
    return EnvelopeModel.model_validate(patched)


def unknown_fields(raw: object) -> list[Fault]:
    """The fields that were passed over, `MAX_NAMED` at most; a small slip in a name is recognised."""
    found: list[Fault] = []
    for before, model in (("", EnvelopeModel), ("routing.", Routing), ("metadata.", Metadata)):
        given = raw if not before else raw.get(before[:-1]) if isinstance(raw, dict) else None
        known = {name.lower(): name for name in model.model_fields}
        for name in given if isinstance(given, dict) else ():
            if name not in model.model_fields:
                hint = f"; did you mean {known[name.lower()]}?" if name.lower() in known else ""
                # As text that any log and any client can take.
                shown = name[:SHOWN_CHARACTERS].encode(errors="backslashreplace").decode()
                found.append(Fault(f"{before}{shown}", f"is unknown and was ignored{hint}"))
    return found[:MAX_NAMED]
