"""Sent: one notification as a test sees it, and what a test may expect of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from notiway.store.rows import SEVERAL
from notiway.values.errors import Fault
from notiway.values.item import Item
from notiway.verbs import recipients

ANYBODY = object()  # stands for a `to` that was not given


@dataclass(frozen=True, slots=True)
class Sent:
    """One notification that was sent. `notification` has everything else that it carries, such as `body`."""

    notification: Item
    user_ids: tuple[str, ...]  # who was named; none for an audience such as a group

    @property
    def title(self) -> str:
        return self.notification.title

    @property
    def message(self) -> str:
        return self.notification.message

    @property
    def kind(self) -> str:
        """The name of its kind."""
        return self.notification.name

    @property
    def type(self) -> str:
        return self.notification.type

    @property
    def priority(self) -> str:
        return self.notification.priority

    @property
    def action_url(self) -> str | None:
        return self.notification.action_url

    @property
    def persisted(self) -> bool:
        """Whether it was stored, too."""
        return self.notification.persisted

    @property
    def to(self) -> frozenset[str]:
        """Whom it was for: `user:ada`, `group:admins`, `global`."""
        named = {f"user:{user_id}" for user_id in self.user_ids}
        return frozenset(named or ({self.notification.audience} - {SEVERAL}))

    def __str__(self) -> str:
        what = f"{self.title!r} to {', '.join(sorted(self.to))}; kind {self.kind}, {self.type}, {self.priority}"
        return what if self.persisted else f"{what}, not stored"


def keys_of(to: Any) -> frozenset[str]:
    """What `to` of `send_notification` means, as `Sent.to` has it."""
    faults: list[Fault] = []
    audience, user_ids = recipients.of(to, _nobody_unknown, faults)
    if faults:
        raise ValueError(f"`to` is not understood: {faults[0].message}")
    return frozenset({f"user:{user_id}" for user_id in user_ids} or {audience})


def fits(sent: Sent, to: Any, wanted: Mapping[str, Any]) -> bool:
    """Whether it was for all of `to`, and has what is wanted: equal values, or a compiled pattern found in a text."""
    unknown = sorted(name for name in wanted if not isinstance(getattr(Sent, name, None), property))
    if unknown:
        raise TypeError(f"a notification has no {', '.join(unknown)} that a test could ask for")
    if to is not ANYBODY and not keys_of(to) <= sent.to:
        return False
    return all(_equals(getattr(sent, name), value) for name, value in wanted.items())


def described(to: Any, wanted: Mapping[str, Any]) -> str:
    """What was expected, in words, each with a space behind it; nothing where all was."""
    whom = "" if to is ANYBODY else f"to {', '.join(sorted(keys_of(to)))} "
    shown = [f"{name}={getattr(value, 'pattern', value)!r}" for name, value in wanted.items()]
    return f"{whom}with {', '.join(shown)} " if shown else whom


def listed(several: Sequence[Sent]) -> str:
    """One a line, numbered."""
    return "\n".join(f"  {number}. {each}" for number, each in enumerate(several, 1))


def _nobody_unknown(ids: Iterable[str]) -> set[str]:
    return set(ids) & set()


def _equals(value: Any, wanted: Any) -> bool:
    return bool(wanted.search(value)) if isinstance(wanted, re.Pattern) else bool(value == wanted)
