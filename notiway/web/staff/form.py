"""Composing: what the staff form says, read from a form or from JSON, and every fault of it beside its field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import request

from notiway.live import runtime
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.draft import Draft
from notiway.values.errors import Fault, InvalidNotification
from notiway.values.ids import is_id, new_id
from notiway.values.item import ANNOUNCEMENT, PRIORITIES, TYPES, Item
from notiway.verbs import recipients
from notiway.web import body

MAX_USERS = 500  # named one by one; more belong into a group
MAX_OFFSET = 14 * 60  # minutes: no place on earth is further from UTC
NAMES = ("notification", ANNOUNCEMENT)
OTHER = "other"
TEXTS = (
    "type", "priority", "name", "other_name", "title", "message", "action_url", "group_key", "source", "expires_at",
    "offset", "transient", "confirm", "form_key", "q",
)  # fmt: skip
NOT_YET = (
    "title",
    "to",
    "confirm",
    "other_name",
)  # what is empty because nobody came to it yet is no fault in a preview

DEFAULTS = {
    "title": "", "message": "", "type": "info", "priority": "medium", "name": NAMES[0], "action_url": None,
    "group_key": None, "source": None, "expires_at": None, "persist": True,
}  # fmt: skip


@dataclass
class Composed:
    """One message as it stands in the form. `to` is what `staff.send` takes, None while nobody is chosen."""

    values: dict[str, str]
    keys: list[str]
    to: Audience | Sequence[str] | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def first_faults(self) -> dict[str, str]:
        """The first fault of each field."""
        return {fault.path: fault.message for fault in reversed(self.faults)}

    @property
    def open_faults(self) -> dict[str, str]:
        """The same without those that only say that something is still to come."""
        empty = {name for name in NOT_YET if not (self.keys if name == "to" else self.values[name].strip())}
        return {path: text for path, text in self.first_faults.items() if path not in empty}

    def recipients(self) -> Audience | Sequence[str]:
        """Who gets it; `InvalidNotification` with every fault if there is one."""
        if self.faults or self.to is None:
            raise InvalidNotification("Nothing was sent", self.faults)
        return self.to

    def item(self) -> Item:
        """What a bell, a toast or a banner would show, with something to look at where the form is empty."""
        values = self.fields
        wanted = {name: values[name] for name in ("message", "group_key", "source", "action_url")}
        if any(fault.path == "action_url" for fault in self.faults):
            wanted["action_url"] = None
        return Item(
            id=new_id(),
            audience=self.keys[0] if self.keys else "global",
            name=values["name"],
            type=values["type"] if values["type"] in TYPES else TYPES[0],
            priority=values["priority"] if values["priority"] in PRIORITIES else "medium",
            title=values["title"].strip() or "Title",
            created_at=now_ms(),
            seen_at=now_ms(),  # nothing that a page would have to report
            **wanted,
        )


def empty() -> Composed:
    """A new form."""
    return Composed(dict.fromkeys(TEXTS, "") | {"form_key": new_id()}, [], fields=dict(DEFAULTS))


def read() -> Composed:
    """The form of this request. `WrongInput` for JSON of another shape; faults of the content are collected."""
    values, keys = _given()
    composed = Composed(values, keys)
    faults = composed.faults
    if not is_id(values["form_key"]):
        values["form_key"] = new_id()
    composed.to = _audience(keys, faults)
    if composed.to == Audience.everyone() and values["confirm"] != "global":
        faults.append(Fault("confirm", "confirm that you want to send to everybody"))
    name = values["other_name"].strip() if values["name"] == OTHER else values["name"] or NAMES[0]
    expires_at = _moment(values["expires_at"], values["offset"], faults)
    composed.fields = {
        "title": values["title"],
        "message": values["message"].replace("\r\n", "\n"),
        "type": values["type"] or "info",
        "priority": values["priority"] or "medium",
        "name": name,
        **{each: values[each].strip() or None for each in ("action_url", "group_key", "source")},
    }
    found = Draft(**composed.fields, expires_at=recipients.milliseconds(expires_at, faults)).faults(now_ms())
    faults += [Fault("other_name", each.message) if each.path == "name" else each for each in found]
    composed.fields |= {"expires_at": expires_at, "persist": not values["transient"]}
    return composed


def _given() -> tuple[dict[str, str], list[str]]:
    if not request.is_json:
        return {name: request.form.get(name, "") for name in TEXTS}, list(dict.fromkeys(request.form.getlist("to")))
    given = body.read_object()
    if given.get("persist") is False:
        given = given | {"transient": "1"}
    given = {name: value for name, value in given.items() if value is not None}
    to = given.get("to", [])
    to = [to] if isinstance(to, str) else to
    faults = [Fault(name, "must be text") for name in TEXTS if not isinstance(given.get(name, ""), str)]
    if not isinstance(to, list) or not all(isinstance(key, str) for key in to):
        faults.append(Fault("to", "must be an audience or a list of them"))
    if faults:
        raise InvalidNotification("Nothing was sent", faults)
    values = {name: given.get(name, "") for name in TEXTS}
    if values["name"] not in ("", OTHER, *NAMES):
        values |= {"name": OTHER, "other_name": values["name"]}
    return values, list(dict.fromkeys(to))


def _audience(keys: list[str], faults: list[Fault]) -> Audience | list[str] | None:
    """One tenant, one group or everybody; or users, each by name."""
    audiences = []
    for key in keys:
        try:
            audiences.append(Audience.parse(key))
        except ValueError as error:
            faults.append(Fault("to", str(error)))
    broadcasts = [each for each in audiences if each.is_broadcast]
    if any(each.type.name == "CONNECTION" for each in audiences):
        faults.append(Fault("to", "a single connection cannot be chosen here"))
    elif not keys:
        faults.append(Fault("to", "choose who it is for"))
    elif broadcasts and len(audiences) > 1:
        faults.append(Fault("to", "choose one tenant or group, or several users, but not both"))
    elif len(audiences) > MAX_USERS:
        faults.append(Fault("to", f"name at most {MAX_USERS} users; make a group for more"))
    elif len(audiences) == len(keys):
        if broadcasts:
            return broadcasts[0]
        users = [each.value for each in audiences]
        recipients.of(users, runtime.current().unknown_users, faults)
        return users
    return None


def _moment(text: str, offset: str, faults: list[Fault]) -> datetime | None:
    """A `datetime-local` field: its zone is told beside it, as minutes west of UTC, by the script; else it is UTC."""
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        minutes = int(offset or 0)
        if abs(minutes) > MAX_OFFSET:
            raise ValueError(offset)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC) + timedelta(minutes=minutes)
    except (ValueError, OverflowError):
        faults.append(Fault("expires_at", "must be a date and a time"))
        return None
