"""Broadcast: Events on their way to many connections, in one write each, with the count that follows from them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from notiway.live.backlog import BLOCKED
from notiway.live.connection import Connection
from notiway.live.delivery import counts
from notiway.live.delivery.format import Format, Frame
from notiway.values.event import COUNT_CAP, Event

log = logging.getLogger(__name__)

Variant = tuple[bytes, Sequence[Frame], int | None]  # all at once, frame by frame, and the count that is told then


class Rendering:
    """The Events of a broadcast in one format.

    A stored broadcast cannot name its listeners' counts. Who was told one before is told what follows from it, in the
    same write; where the database comes to another count, `Settling` corrects it.
    """

    def __init__(self, format: Format, events: Iterable[Event]) -> None:
        self._format = format
        self.joined, self.frames = format.render(events)
        self._told: int | None = None  # the last count that these frames name
        self._fresh = 0  # items behind it that count as unread
        for frame in self.frames:
            if frame.unread is not None:
                self._told, self._fresh = frame.unread, 0
            elif frame.is_fresh:
                self._fresh += 1
        self.tells_counts = self._told is not None or self._fresh > 0
        self._variants: dict[int | None, Variant] = {}

    def after(self, told: int | None) -> Variant:
        """What a connection gets that was told this count, or none."""
        variant = self._variants.get(told)
        if variant is None:
            variant = self._variants[told] = self._made(told)
        return variant

    def offer(self, connection: Connection) -> None:
        """The same for a connection that cannot take it at once, or that has some of the items already."""
        told, is_open = connection.told, False
        for frame in self.frames:
            connection.offer(frame.data, frame.key, frame.item_id)
            if frame.item_id in connection.known:
                continue
            if frame.unread is not None:
                told, is_open = frame.unread, False
            elif frame.is_fresh and told is not None:
                told, is_open = min(told + 1, COUNT_CAP), True
        if not self.tells_counts or connection.held is not None:
            return  # what is held comes behind counts that are not known here
        if is_open and told is not None:
            counts.offer((connection,), told)
        else:
            connection.told = told

    def _made(self, told: int | None) -> Variant:
        begins = told if self._told is None else self._told
        if not self._fresh or begins is None:
            return self.joined, self.frames, begins
        unread = min(begins + self._fresh, COUNT_CAP)
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
                frames: Sequence[Frame] = rendering.frames
            try:
                if not connection.direct or not rendering.joined:
                    rendering.offer(connection)
                    continue
                if tells_counts:
                    data, frames, connection.told = rendering.after(connection.told)
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
