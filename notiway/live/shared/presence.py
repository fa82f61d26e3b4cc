"""Presence: who is connected now, to whichever process."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Protocol

from notiway.live.hub import Hub
from notiway.live.shared.node import Node, this_process

ALONE = "alone"  # the id of a node that nobody else has to know
MS = 1_000.0  # in a second

OnDeath = Callable[[float], None]  # with the last sign of life, in seconds since the epoch


class Presence(Protocol):
    """What is known of connected users. Any thread may ask; whoever asks may wait for an answer from outside."""

    is_shared: bool  # whether it knows of other processes
    numbers: dict[str, Any]  # what this process tells the others of itself, set anew each time
    others: list[Node]  # the other processes as of a moment ago, to be had without waiting
    on_death: OnDeath | None  # called when another process has died without a goodbye, in one of those that live

    def start(self, node: str) -> None:
        """Tell the others of this process from now on, as the node that its broker is; called after a fork."""

    def stop(self) -> None:
        """This process holds no connections any more."""

    def online(self) -> int:
        """How many users are connected."""

    def among(self, user_ids: Collection[str]) -> set[str]:
        """Which of these users are connected."""

    def users_of(self, audience: str) -> set[str]:
        """The users who hear a tenant or group now."""

    def nodes(self) -> list[Node]:
        """The processes that hold connections; raises `BrokerDown` where they cannot be asked for."""


class Here:
    """The presence of a process that is alone: what its hub knows.

    >>> Here(hub).among(["ada", "bob"])  # doctest: +SKIP
    {'ada'}
    """

    is_shared = False

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.numbers: dict[str, Any] = {}
        self.others: list[Node] = []
        self.on_death: OnDeath | None = None

    def start(self, node: str) -> None:
        del node  # nobody else has to know

    def stop(self) -> None:
        return None

    def online(self) -> int:
        return len(self._hub.user_ids())

    def among(self, user_ids: Collection[str]) -> set[str]:
        return self._hub.user_ids() & set(user_ids)

    def users_of(self, audience: str) -> set[str]:
        return self._hub.listeners.users_of(audience)

    def nodes(self) -> list[Node]:
        oldest = self._hub.waiting.oldest_seconds * MS
        return [this_process(ALONE, connections=len(self._hub), oldest=oldest, numbers=self.numbers)]
