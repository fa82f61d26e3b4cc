"""People: what an application tells about its own users, where staff look for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

UnknownUsers = Callable[[Iterable[str]], set[str]]  # takes user ids, returns those that nobody has
UserIsActive = Callable[[str], bool | None]  # False for a user who is locked out, None for an id that nobody has


@dataclass(frozen=True, slots=True)
class Person:
    """One user as staff see it: `detail` is what tells two of the same name apart, such as an e-mail address."""

    id: str
    name: str
    detail: str = ""


class People(Protocol):
    """Given to `Notiway(people=…)`; without it staff address users by id.

    >>> class Customers:
    ...     def search(self, text, limit): ...
    ...     def named(self, user_ids): ...
    ...     def count(self): ...
    """

    def search(self, text: str, limit: int) -> list[Person]:
        """The active users whose name, address or id fits `text`, at most `limit`."""

    def named(self, user_ids: Collection[str]) -> list[Person]:
        """Those of these ids that exist."""

    def count(self) -> int:
        """How many users there are whom a message to everybody reaches."""


@runtime_checkable
class CountsMembers(Protocol):
    """What `people` may offer as well, where users who are locked out stay members of their tenants and groups."""

    def count_members(self, audience: str) -> int:
        """How many users a message to this tenant or group reaches."""
