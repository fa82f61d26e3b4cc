"""Choices: whom staff can send to, found by name: everybody, tenants, groups, users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from notiway.store.membership import find_audiences
from notiway.store.rows import SEVERAL
from notiway.values.audience import Audience, AudienceType
from notiway.values.people import People, Person

LIMIT = 8  # of each kind in an answer: anyone who finds too many types more
KINDS = {AudienceType.TENANT: "Tenant", AudienceType.GROUP: "Group", AudienceType.USER: "User"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One audience as staff see it."""

    key: str
    kind: str
    label: str
    detail: str = ""


def search(text: str, people: People | None, limit: int = LIMIT) -> list[Choice]:
    """Tenants and groups whose name, then users whose name or address holds `text`; without it, tenants and groups.

    An application that tells nothing about its users gets `text` itself as the id of one.
    """
    text = text.strip()
    if "\0" in text:
        return []
    found = _broadcasts(text, limit)
    if not text:
        return found
    if people is not None:
        return found + [_of_person(person) for person in people.search(text, limit)]
    try:
        return [*found, Choice(Audience.user(text).key, "User", text, "by id")]
    except ValueError:
        return found


def describe(keys: Sequence[str], people: People | None) -> dict[str, Choice]:
    """What these audiences are called, by key; one question to the application for all users among them."""
    audiences = {key: audience for key in keys if (audience := _parse(key)) is not None}
    ids = [each.value for each in audiences.values() if each.type is AudienceType.USER]
    named = {person.id: _of_person(person) for person in people.named(ids)} if people is not None and ids else {}
    return {key: named.get(each.value) or _of_audience(each) for key, each in audiences.items()} | {
        key: Choice(key, "Users", "Several users") for key in keys if key == SEVERAL
    }


def _broadcasts(text: str, limit: int) -> list[Choice]:
    return [
        Choice(choice.key, choice.kind, choice.label, "1 member" if count == 1 else f"{count:,} members")
        for key, count in find_audiences(text, limit)
        if (audience := _parse(key)) is not None and (choice := _of_audience(audience))
    ]


def _parse(key: str) -> Audience | None:
    try:
        return Audience.parse(key)
    except ValueError:
        return None


def _of_audience(audience: Audience) -> Choice:
    if audience.type is AudienceType.GLOBAL:
        return Choice(audience.key, "Everybody", "Everybody")
    label = audience.value if audience.tenant_id is None else f"{audience.value} of {audience.tenant_id}"
    return Choice(audience.key, KINDS.get(audience.type, "Connection"), label)


def _of_person(person: Person) -> Choice:
    return Choice(f"user:{person.id}", "User", person.name, person.detail)
