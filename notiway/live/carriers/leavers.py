"""Leavers: the Event `left` may come when its user has long joined again, so a moment later the database is asked.

Until then the connection does not listen: usually the Event is right, and nothing that follows it may be heard. It is
told to connect again where the user is a member and nothing has let it listen meanwhile.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import cast

from notiway.live.carriers.hub_protocol import SignalRTransport, is_ready
from notiway.live.connection import Connection
from notiway.live.hub import Hub
from notiway.live.state import State
from notiway.store import membership
from notiway.store.database import db
from notiway.values.close_codes import CloseCode
from notiway.values.event import Event

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # in which the Event of a joining behind the leaving comes, nearly always

Run = Callable[[Callable[[], None]], None]  # runs work off the reactor


class Leavers:
    """Connections that were dismissed from an audience lately; runs on the reactor."""

    def __init__(self, hub: Hub, run: Run) -> None:
        self._hub = hub
        self._run = run
        self._waiting: deque[tuple[float, Connection, str]] = deque()
        self._watch = hub.reactor.ticker(LOOK_SECONDS, self._look)

    def __len__(self) -> int:
        return len(self._waiting)

    def dismiss(self, connection: Connection, event: Event) -> None:
        """Let a connection listen no more to the audience of this Event, and look a moment later."""
        for _ in self._hub.listeners.dismiss([connection], event):
            self.note(connection, event.data["audience"])

    def note(self, connection: Connection, audience: str) -> None:
        """This connection has just stopped to listen."""
        self._waiting.append((monotonic() + LOOK_SECONDS, connection, audience))
        self._watch()

    def _look(self) -> bool:
        now = monotonic()
        by_audience: dict[str, list[Connection]] = {}
        while self._waiting and self._waiting[0][0] <= now:
            _, connection, audience = self._waiting.popleft()
            if _is_deaf(connection, audience):
                by_audience.setdefault(audience, []).append(connection)
        for audience, connections in by_audience.items():
            self._run(partial(self._ask, audience, connections))
        return bool(self._waiting)

    def _ask(self, audience: str, connections: list[Connection]) -> None:
        users = sorted({cast("str", each.user_id) for each in connections})  # who listens to a user's audience has one
        try:
            with db.connection_context():
                members = membership.members_among(audience, users)
        except Exception:
            log.exception("who has left %s is not known for sure; the database is asked again", audience)
            for connection in connections:
                self._hub.in_turn(self.note, connection, audience)
            return
        wrong = [each for each in connections if each.user_id in members or audience in each.grants]
        if wrong:
            self._hub.hearing.pin([audience])  # confirmed before whoever listens again reads what it missed
            for connection in wrong:
                self._hub.in_turn(self._bring_back, connection, audience)
            self._hub.in_turn(self._hub.hearing.unpin, [audience])

    def _bring_back(self, connection: Connection, audience: str) -> None:
        if not _is_deaf(connection, audience):
            return
        if isinstance(connection.format.transport, SignalRTransport) and not is_ready(connection):
            self._hub.listeners.add(connection, audience)  # what it missed is read after its hello
        else:
            connection.close(CloseCode.TRY_AGAIN, "try again")


def _is_deaf(connection: Connection, audience: str) -> bool:
    return connection.state is State.OPEN and audience not in connection.audiences
