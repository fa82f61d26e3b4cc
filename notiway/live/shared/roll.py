"""Roll: what others have been told of this process's users, and what has changed since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from notiway.live.connection import Connection
from notiway.live.delivery.listeners import Listeners
from notiway.live.state import State

OWN = ("user:", "connection:")  # audiences that say nothing beyond who is there


@dataclass(frozen=True, slots=True)
class Change:
    """A user's connections here, and the audiences that these have begun or ceased to hear."""

    user_id: str
    connections: int
    new: frozenset[str]
    over: frozenset[str]


class Roll:
    """Keeps for each user which audiences were told; `changes` are those since it was asked last."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners
        self._told: dict[str, frozenset[str]] = {}
        self._changed: set[str] = set()
        listeners.changed = self._changed

    def connections_of(self, user_id: str) -> list[Connection]:
        """The user's connections that count, the newest last."""
        return [each for each in self._listeners.of(f"user:{user_id}") if each.state is State.OPEN]

    def renew(self) -> None:
        """Nobody knows anything any more: all that is so will be told as if it were new."""
        gone = self._told.keys()
        self._told = {}
        self._touch(self._listeners.users_of("global") | gone)

    def changes(self, most: int) -> list[Change]:
        """What to tell of so many users; it counts as told from now on."""
        found: list[Change] = []
        while self._changed and len(found) < most:
            user_id = self._changed.pop()
            connections = self.connections_of(user_id)
            heard = {key for each in connections for key in each.audiences if not key.startswith(OWN)}
            told = self._told.pop(user_id, frozenset())
            if connections:
                self._told[user_id] = frozenset(heard)
            found.append(Change(user_id, len(connections), frozenset(heard - told), told - heard))
        return found

    def take_back(self, changes: Iterable[Change]) -> None:
        """These could not be told."""
        for each in changes:
            self._told[each.user_id] = (self._told.get(each.user_id, frozenset()) - each.new) | each.over
            self._touch([each.user_id])

    def _touch(self, user_ids: Iterable[str]) -> None:
        for user_id in list(user_ids):
            self._changed.add(user_id)
