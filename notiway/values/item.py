"""Item: one notification as one user sees it. The same value feeds pages, frames and JSON."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from notiway.values.clock import moment, now_ms
from notiway.values.kinds.answer import settled, status_of

TYPES = ("info", "success", "warning", "error")
PRIORITIES = ("urgent", "high", "medium", "low")
ANNOUNCEMENT = "system-announcement"  # the name of what pages show as a banner, until it is dismissed or over


@dataclass(frozen=True, slots=True)
class Item:
    """What a list shows: the notification's content and this user's state of it.

    Times are milliseconds since the epoch, UTC; None where it has not happened.
    """

    id: str
    audience: str
    name: str
    type: str
    priority: str
    title: str
    message: str
    created_at: int
    body: dict[str, Any] | None = None
    action_url: str | None = None
    group_key: str | None = None
    source: str | None = None
    actor: str | None = None
    producer: str | None = None
    expires_at: int | None = None
    persisted: bool = True
    dedupe_key: str | None = None
    sent_at: int | None = None
    seen_at: int | None = None
    read_at: int | None = None
    deleted_at: int | None = None
    details: dict[str, Any] | None = None  # what is rich about it: values/kinds/details.py
    answer: dict[str, Any] | None = None  # what became of its actions: values/kinds/answer.py
    archived_at: int | None = None
    snoozed_until: int | None = None

    @property
    def public_id(self) -> str:
        """The id that its producer gave it, else ours: what SignalR clients and producers know it by."""
        return self.dedupe_key or self.id

    @property
    def is_read(self) -> bool:
        return self.read_at is not None

    @property
    def place(self) -> str:
        """Where it is for this user: inbox, archived, snoozed or deleted."""
        if self.deleted_at is None:
            return "inbox"
        return "archived" if self.archived_at else "snoozed" if self.snoozed_until else "deleted"

    @property
    def wakes(self) -> datetime:
        """`snoozed_until` as an aware datetime, UTC."""
        return moment(self.snoozed_until or 0)

    @property
    def icon(self) -> Any:
        """The name of a symbol, or the address of a picture; None for that of its type."""
        return self._detail("icon")

    @property
    def category(self) -> Any:
        return self._detail("category")

    @property
    def topic(self) -> str:
        """What a user mutes it by: its category, else its source and type.

        >>> Item("1", "user:42", "notification", "success", "medium", "Paid", "", 0, source="billing").topic
        'billing/success'
        """
        return self.category or f"{self.source or ''}/{self.type}"

    @property
    def image(self) -> Any:
        return self._detail("image")

    @property
    def avatar(self) -> Any:
        """The address of the actor's picture."""
        return (self._detail("actor") or {}).get("image")

    @property
    def actor_url(self) -> Any:
        return (self._detail("actor") or {}).get("url")

    @property
    def actions(self) -> list[dict[str, Any]]:
        """Its buttons: `name`, `label`, `url`, `method`, `style`."""
        return self._detail("actions") or []

    @property
    def settled_answer(self) -> dict[str, Any] | None:
        """What became of its actions by now; None while nobody has pressed one."""
        return settled(self.answer, now_ms())

    @property
    def action_status(self) -> str:
        """open, pending, done or failed."""
        return status_of(self.settled_answer)

    def _detail(self, name: str) -> Any:
        return None if self.details is None else self.details.get(name)

    @property
    def created(self) -> datetime:
        """`created_at` as an aware datetime, UTC."""
        return moment(self.created_at)

    def as_dict(self) -> dict[str, Any]:
        """The form that travels in an Event. It shares the body: a deep copy would be most of the cost of a fan-out."""
        return {name: getattr(self, name) for name in _FIELD_NAMES}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Item:
        """The reverse of `as_dict`; keys of a newer version are passed over."""
        return cls(**{key: value for key, value in values.items() if key in _FIELD_NAMES})


_FIELD_NAMES = tuple(spec.name for spec in fields(Item))
