"""Format: what a connection speaks, a wire on a transport. An Event is rendered once for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from notiway.live.backlog import BLOCKED
from notiway.live.carriers import Transport
from notiway.live.connection import Connection
from notiway.live.wires import Wire
from notiway.values.event import Event

Frame = tuple[bytes, str | None, str | None]  # bytes, coalescing key, id of the item in it


@dataclass(frozen=True)
class Format:
    """A wire on a transport. All its connections share one object."""

    wire: Wire
    transport: Transport
    handle: Callable[[Connection, str], None] | None = None  # what to do with a client's message

    def frame(self, text: str | None) -> bytes | None:
        """The text as bytes for the socket."""
        return None if text is None else self.transport.encode(text)

    def render(self, events: Iterable[Event]) -> tuple[bytes, list[Frame]]:
        """The events as bytes to send at once, and frame by frame for who has to wait."""
        single: list[Frame] = []
        for event in events:
            data = self.frame(self.wire.render(event))
            if data is not None:
                item_id = event.data["notification"]["id"] if event.kind == "created" else None
                key = "unread" if event.kind == "sync" else event.data.get("coalesce")
                single.append((data, key, item_id))
        return b"".join(data for data, _, _ in single), single


class Broadcast:
    """Events on their way to many connections, rendered once for each format that is met."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = events
        self._rendered: dict[int, tuple[bytes, list[Frame]]] = {}

    def send(self, connections: Iterable[Connection]) -> None:
        """Offer the events to each of these. This loop is where the CPU of a broadcast goes."""
        format: Format | None = None
        joined, single = b"", list[Frame]()
        for connection in connections:
            if connection.format is not format:  # neighbours mostly speak the same
                joined, single = self._in(connection.format)
                format = connection.format
            if not connection.direct or not joined:
                for data, key, item_id in single:
                    connection.offer(data, key, item_id)
                continue
            try:
                sent = connection.send(joined)
            except BLOCKED:
                sent = 0
            except OSError:
                connection.lost()
                continue
            if sent != len(joined):
                connection.keep([(data, key) for data, key, _ in single], sent)

    def _in(self, format: Format) -> tuple[bytes, list[Frame]]:
        rendered = self._rendered.get(id(format))
        if rendered is None:
            rendered = self._rendered[id(format)] = format.render(self.events)
        return rendered
