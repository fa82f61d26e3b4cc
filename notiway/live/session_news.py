"""Session news: what happens to a session reaches the connections that are registered just after it.

A client is let in by its cookie or token, and registered a moment later. A sign-out or a renewal between the two would
pass it by, for it is told to the connections that are registered.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from notiway.live.connection import Connection
from notiway.live.deadlines import Deadlines
from notiway.values.close_codes import CloseCode
from notiway.values.event import Event

KEPT_SECONDS = 30.0  # more than a client that was let in takes to be registered

News = Callable[[Connection], None]


class SessionNews:
    """Ends and renews the connections of sessions, and keeps the newest of it for half a minute; on the reactor."""

    def __init__(self, deadlines: Deadlines, clock: Callable[[], float] = time.monotonic) -> None:
        self._deadlines = deadlines
        self._clock = clock
        self._news: dict[str, tuple[float, News, bool]] = {}  # the oldest first

    def __len__(self) -> int:
        return len(self._news)

    def kick(self, listeners: list[Connection], event: Event) -> None:
        """Close those of the session that the Event names, or all."""
        session, code = event.data.get("session"), event.data.get("code", CloseCode.SIGNED_OUT)
        if session is not None:
            self.note(session, lambda late: late.close(code, "signed out"), final=True)
        for connection in listeners:
            if session is None or connection.session == session:
                connection.close(code, "signed out")

    def renew(self, listeners: list[Connection], event: Event) -> None:
        """Let those of the session that the Event names live as long as it does now."""
        session, ends_at = event.data["session"], event.data["ends_at"]
        self.note(session, lambda late: self._deadlines.move(late, ends_at))
        for connection in listeners:
            if connection.session == session:
                self._deadlines.move(connection, ends_at)

    def note(self, session: str, news: News, *, final: bool = False) -> None:
        """Do this to connections of that session which come late; after `final` news there are no others."""
        now = self._clock()
        while self._news and (oldest := next(iter(self._news))) and self._news[oldest][0] <= now - KEPT_SECONDS:
            del self._news[oldest]
        _, known, is_over = self._news.pop(session, (0.0, news, False))
        self._news[session] = now, known if is_over else news, is_over or final

    def tell(self, connection: Connection) -> None:
        """A connection is registered: do to it what it has missed."""
        found = self._news.get(connection.session or "")
        if found is not None:
            found[1](connection)
