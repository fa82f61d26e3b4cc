"""Audience: who is addressed. One value object, its key and its routing (CONTRACT §3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class AudienceType(IntEnum):
    """The numbers that envelopes and SignalR clients use."""

    GLOBAL = 1
    TENANT = 2
    GROUP = 3
    USER = 4
    CONNECTION = 5


MAX_PART_LENGTH = 200  # characters in a tenant, group or user name
BROADCAST_TYPES = (AudienceType.GLOBAL, AudienceType.TENANT, AudienceType.GROUP)


@dataclass(frozen=True, slots=True)
class Audience:
    """Who a notification is for.

    >>> Audience.group("admins", tenant="acme").key
    'group:acme:admins'
    >>> Audience.parse("user:42").value
    '42'

    `ValueError` for an empty, overlong or ambiguous part (a colon would make two audiences one).
    """

    type: AudienceType
    value: str = ""
    tenant_id: str | None = None

    def __post_init__(self) -> None:
        if self.type is AudienceType.GLOBAL:
            if self.value or self.tenant_id:
                raise ValueError("the global audience takes no value")
            return
        parts = [self.value] if self.tenant_id is None else [self.tenant_id, self.value]
        for part in parts:
            if not part or len(part) > MAX_PART_LENGTH or not part.isprintable():
                raise ValueError(f"an audience part must have 1 to {MAX_PART_LENGTH} printable characters")
        if self.tenant_id is not None and self.type is not AudienceType.GROUP:
            raise ValueError("only a group can be scoped to a tenant")
        if ":" in (self.tenant_id or "") or (":" in self.value and self.type in BROADCAST_TYPES):
            raise ValueError("tenant and group names must not contain a colon")

    @classmethod
    def everyone(cls) -> Audience:
        """All users: `global`."""
        return cls(AudienceType.GLOBAL)

    @classmethod
    def tenant(cls, tenant: str) -> Audience:
        """All users of one tenant: `tenant:acme`."""
        return cls(AudienceType.TENANT, tenant)

    @classmethod
    def group(cls, name: str, tenant: str | None = None) -> Audience:
        """The members of a group, of one tenant's group where `tenant` is given."""
        return cls(AudienceType.GROUP, name, tenant)

    @classmethod
    def user(cls, user_id: object) -> Audience:
        """One user, by id."""
        return cls(AudienceType.USER, str(user_id))

    @classmethod
    def connection(cls, connection_id: str) -> Audience:
        """One live connection: a single tab or device."""
        return cls(AudienceType.CONNECTION, connection_id)

    @classmethod
    def parse(cls, key: str) -> Audience:
        """The audience behind a key such as `group:acme:admins`; `ValueError` if there is none."""
        name, _, rest = key.partition(":")
        if name == "global" and not rest:
            return cls.everyone()
        if name == "tenant":
            return cls.tenant(rest)
        if name == "group":
            first, colon, second = rest.partition(":")
            return cls.group(second, first) if colon else cls.group(first)
        if name == "user":
            return cls.user(rest)
        if name == "connection":
            return cls.connection(rest)
        raise ValueError(f"{key!r} is not an audience")

    @property
    def key(self) -> str:
        """The one text that stands for this audience in tables, Events and the hub."""
        if self.type is AudienceType.GLOBAL:
            return "global"
        name = _NAMES[self.type]
        return f"{name}:{self.tenant_id}:{self.value}" if self.tenant_id is not None else f"{name}:{self.value}"

    @property
    def is_broadcast(self) -> bool:
        """Whether it is stored as one row and pulled, instead of pushed to each inbox."""
        return self.type in BROADCAST_TYPES


_NAMES = {each: each.name.lower() for each in AudienceType}
