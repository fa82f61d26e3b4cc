"""Listeners: which connections of this process hear which audience."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from notiway.live.connection import Connection
from notiway.live.state import State
from notiway.values.clock import now_ms
from notiway.values.event import Event

# Who joined or left by which Event, and whether that met it while it was opening.
Moved = tuple[Connection, Event, bool]


class Listeners:
    """The register by audience key. Changed on the reactor only; questions may come from any thread."""

    def __init__(self) -> None:
        self._by_audience: dict[str, dict[Connection, None]] = {}
        self._left: dict[Connection, dict[str, int]] = {}  # when each was dismissed from what, in milliseconds
        self._expected: Counter[str] = Counter()  # audiences that an Event on its way will let somebody hear
        self.changed: set[str] | None = None  # users of whom somebody wants to know what they hear
        self.on_empty: Callable[[str], None] | None = None  # called when the last one who heard an audience has gone

    def __len__(self) -> int:
        return len(self._by_audience)

    def of(self, audience: str) -> list[Connection]:
        """Who hears this audience now."""
        return list(self._by_audience.get(audience, ()))

    def users_of(self, audience: str) -> set[str]:
        """The users among them."""
        return {each.user_id for each in self.of(audience) if each.user_id is not None}

    def beside(self, audience: str) -> dict[str, list[str]]:
        """The ids of the connections that do not hear this audience, by user; everybody signed in hears `global`."""
        found: dict[str, list[str]] = {}
        for each in self.of("global"):
            if each.user_id is not None and audience not in each.audiences:
                found.setdefault(each.user_id, []).append(each.id)
        return found

    def count(self, audience: str) -> int:
        """How many connections hear this audience."""
        return len(self._by_audience.get(audience, ()))

    def expect(self, event: Event) -> None:
        """This Event is on its way to its listeners; from any thread."""
        if event.kind == "joined":
            self._expected[event.data.get("audience", "")] += 1

    def are_coming(self, audience: str) -> bool:
        """Whether anybody hears this audience, or will by an Event that is on its way."""
        return self.count(audience) > 0 or self._expected[audience] > 0

    def audiences(self, suffix: str) -> list[str]:
        """The audiences with this ending that somebody here hears."""
        return [key for key in list(self._by_audience) if key.endswith(suffix)]

    def audiences_of(self, prefix: str) -> list[str]:
        """The audiences with this beginning that somebody here hears."""
        return [key for key in list(self._by_audience) if key.startswith(prefix)]

    def enter(self, connection: Connection) -> None:
        """Register a connection for all that it names in `audiences`."""
        for key in connection.audiences:
            self._by_audience.setdefault(key, {})[connection] = None
        self._note(connection)

    def leave(self, connection: Connection) -> None:
        """Take it out everywhere."""
        self._left.pop(connection, None)
        for key in connection.audiences:
            self._drop(connection, key)
        self._note(connection)

    def add(self, connection: Connection, audience: str) -> bool:
        """Let an open connection hear one more audience; False if it is not open, or did already."""
        if connection.state is not State.OPEN or audience in connection.audiences:
            return False
        connection.audiences = (*connection.audiences, audience)
        self._by_audience.setdefault(audience, {})[connection] = None
        self._note(connection)
        return True

    def admit(self, connections: Iterable[Connection], joined: Event) -> list[Moved]:
        """Let a user's connections hear what the user has joined; those that did not yet are held, and returned."""
        new = [each for each in connections if self.add(each, joined.data["audience"]) and "since" in joined.data]
        self._expected -= Counter([joined.data["audience"]])  # what has come to nothing is dropped
        found = [(each, joined, each.opening) for each in new]
        for each in new:
            if not each.opening:
                each.hold()
        return found

    def dismiss(self, connections: Iterable[Connection], left: Event) -> list[Moved]:
        """Let a user's connections hear no more what the user has left; those that did until now are returned."""
        audience = left.data["audience"]
        listening = self._by_audience.get(audience, {})  # who has gone by now is in it no more
        gone = [(each, left, each.opening) for each in connections if each in listening]
        for each, _, _ in gone:
            self.remove(each, audience)
            self._left.setdefault(each, {})[audience] = now_ms()
        return gone

    def left_at(self, connection: Connection, audience: str) -> int:
        """When it was dismissed from this audience last, in milliseconds since the epoch; 0 if it never was."""
        return self._left.get(connection, {}).get(audience, 0)

    def remove(self, connection: Connection, audience: str) -> None:
        """Let it hear an audience no more."""
        if audience in connection.audiences:
            connection.audiences = tuple(key for key in connection.audiences if key != audience)
            self._drop(connection, audience)
            self._note(connection)

    def _note(self, connection: Connection) -> None:
        # Behind the change: whoever takes the user from here looks at what is so by then.
        if self.changed is not None and connection.user_id is not None:
            self.changed.add(connection.user_id)

    def _drop(self, connection: Connection, audience: str) -> None:
        listeners = self._by_audience.get(audience)
        if listeners is not None:
            listeners.pop(connection, None)
            if not listeners:
                del self._by_audience[audience]
                if self.on_empty is not None:
                    self.on_empty(audience)
