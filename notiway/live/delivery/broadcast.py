"""Broadcast: Events on their way to many connections, in one write each, with the count that follows from them."""

from __future__ import annotations

import logging
import operator
from collections.abc import Iterable, Sequence

from notiway.live.backlog import BLOCKED
from notiway.live.connection import Connection
from notiway.live.delivery import counts, told
from notiway.live.delivery.format import Format, Frame
from notiway.values.event import COUNT_CAP, Event

log = logging.getLogger(__name__)

Variant = tuple[bytes, Sequence[Frame], int | None]  # all at once, frame by frame, and the count that is told then


class Rendering:
    """The Events of a broadcast in one format.

    A stored broadcast cannot name its listeners' counts. Whoever was told one that it is not in is told what follows
    from it, in the same write. Whether it is in it, the positions in the log say; where they do not, the count is not
    known, and `Settling` reads it.
    """

    def __init__(self, format: Format, events: Iterable[Event]) -> None:
        self._format = format
        self.joined, self.frames = format.render(events)
        self.told: int | None = None  # the last count that these frames name
        fresh: list[int] = []  # positions of items behind it that count as unread
        for frame in self.frames:
            if frame.unread is not None:
                self.told, fresh = frame.unread, []
            elif frame.is_fresh:
                fresh.append(told.NOTHING if frame.position is None else frame.position)
        self._fresh = len(fresh)
        self.tells_counts = self.told is not None or self._fresh > 0
        is_rising = all(map(operator.lt, fresh, fresh[1:]))
        # A count up to below here holds none of them; where these frames name one, nothing follows from another.
        self.first = fresh[0] if fresh and is_rising and self.told is None else told.NOTHING
        self.last = max(fresh, default=told.NOTHING)
        self._variants: dict[int | None, Variant] = {}

    def after(self, known: int | None) -> Variant:
        """What a connection gets that was told this count, or none."""
        variant = self._variants.get(known)
        if variant is None:
            variant = self._variants[known] = self._made(known)
        return variant

    def offer(self, connection: Connection) -> None:
        """The same for a connection that cannot take it at once, or that has some of the items already."""
        is_open = False
        for frame in self.frames:
            connection.offer(frame.data, frame.key, frame.item_id)
            if frame.item_id in connection.known:
                continue
            if frame.unread is not None:
                told.note(connection, frame.unread)
                is_open = False
            elif frame.is_fresh:
                position = told.NOTHING if frame.position is None else frame.position
                is_open = connection.told is not None and position > connection.told_to
                connection.told = min((connection.told or 0) + 1, COUNT_CAP) if is_open else None
                connection.told_to = max(connection.told_to, position)
        if not self.tells_counts:
            return
        if connection.held is not None:
            connection.told = None  # what is held comes behind counts that are not known here
        elif is_open and connection.told is not None:
            badge = self._format.badge(connection.told)
            if badge is None:
                connection.told = None
            else:
                connection.offer(badge, counts.KEY)

    def tell(self, connection: Connection) -> tuple[bytes, Sequence[Frame]]:
        """Note the count that these frames name, or that nobody knows it now; the frames."""
        if self.told is not None:
            told.note(connection, self.told)
        if self._fresh:
            connection.told, connection.told_to = None, max(connection.told_to, self.last)
        return self.joined, self.frames

    def _made(self, known: int | None) -> Variant:
        if not self._fresh or known is None:
            return self.joined, self.frames, known
        unread = min(known + self._fresh, COUNT_CAP)
        badge = self._format.badge(unread)
        if badge is None:
            return self.joined, self.frames, None
        return self.joined + badge, [*self.frames, Frame(badge, counts.KEY)], unread


class Broadcast:
    """Events on their way to many connections, rendered once for each format that is met."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = events
        self._rendered: dict[int, Rendering] = {}

    def send(self, connections: Iterable[Connection]) -> None:
        """Offer the events to each of these. This loop is where the CPU of a broadcast goes."""
        format: Format | None = None
        for connection in connections:
            if connection.format is not format:  # neighbours mostly speak the same
                format = connection.format
                rendering = self._in(connection.format)
                data, tells_counts = rendering.joined, rendering.tells_counts
                first, last = rendering.first, rendering.last
                frames: Sequence[Frame] = rendering.frames
            try:
                if not connection.direct or not data:
                    rendering.offer(connection)
                    continue
                if tells_counts:
                    # As in `Rendering.tell`, for the many: without a call.
                    if connection.told_to < first:
                        data, frames, connection.told = rendering.after(connection.told)
                        connection.told_to = last
                    else:
                        data, frames = rendering.tell(connection)
                try:
                    sent = connection.send(data)
                except BLOCKED:
                    sent = 0
                if sent != len(data):
                    connection.keep([(frame.data, frame.key) for frame in frames], sent)
            except OSError:
                connection.lost()
            except Exception:
                log.exception("a connection failed and is let go; the others hear on")
                connection.lost()

    def _in(self, format: Format) -> Rendering:
        rendered = self._rendered.get(id(format))
        if rendered is None:
            rendered = self._rendered[id(format)] = Rendering(format, self.events)
        return rendered
