"""Format: what a connection speaks, a wire on a transport. An Event is rendered once for each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from notiway.live.backlog import BLOCKED
from notiway.live.carriers import Transport
from notiway.live.connection import Connection
from notiway.live.wires import Wire
from notiway.values.event import Event

log = logging.getLogger(__name__)

LEFT_OUT = "the %s wire cannot show %s: it is left out there. Fix what was sent, or the template that draws it"

Frame = tuple[bytes, str | None, str | None]  # bytes, coalescing key, id of the item in it


@dataclass(frozen=True)
class Format:
    """A wire on a transport. All its connections share one object."""

    wire: Wire
    transport: Transport
    handle: Callable[[Connection, str], None] | None = None  # what to do with a client's message

    def text(self, event: Event) -> str | None:
        """What the wire says of an event; None where it has nothing to say, or fails, which is logged."""
        try:
            return self.wire.render(event)
        except Exception:
            log.exception(LEFT_OUT, self.wire.name, _named(event))
            return None

    def frame(self, text: str | None) -> bytes | None:
        """The text as bytes for the socket; None for an empty one, and for what no socket can carry."""
        if not text:
            return None
        try:
            return self.transport.encode(text)
        except UnicodeEncodeError:
            log.exception(LEFT_OUT, self.wire.name, "a text")
            return None

    def render(self, events: Iterable[Event]) -> tuple[bytes, list[Frame]]:
        """The events as bytes to send at once, and frame by frame for connections that have to wait.

        One that fails is logged and left out of this format; the other events, and the other formats, go on.
        """
        single = [frame for event in events if (frame := self._single(event)) is not None]
        return b"".join(data for data, _, _ in single), single

    def _single(self, event: Event) -> Frame | None:
        try:
            text = self.wire.render(event)
            if not text:  # an empty frame is no message of any protocol
                return None
            item_id = event.data["notification"]["id"] if event.kind == "created" else None
            return self.transport.encode(text), _key_of(event), item_id
        except Exception:
            log.exception(LEFT_OUT, self.wire.name, _named(event))
            return None


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
            try:
                if not connection.direct or not joined:
                    for data, key, item_id in single:
                        connection.offer(data, key, item_id)
                    continue
                try:
                    sent = connection.send(joined)
                except BLOCKED:
                    sent = 0
                if sent != len(joined):
                    connection.keep([(data, key) for data, key, _ in single], sent)
            except OSError:
                connection.lost()
            except Exception:
                log.exception("a connection failed and is let go; the others hear on")
                connection.lost()

    def _in(self, format: Format) -> tuple[bytes, list[Frame]]:
        rendered = self._rendered.get(id(format))
        if rendered is None:
            rendered = self._rendered[id(format)] = format.render(self.events)
        return rendered


def _key_of(event: Event) -> str | None:
    """Under which key a newer frame takes the place of this one in a backlog."""
    if event.kind == "sync":
        return "unread"
    replaced = event.data.get("coalesce")
    return None if replaced is None else f"{event.audience} {replaced}"


def _named(event: Event) -> str:
    notification = event.data.get("notification")
    item_id = notification.get("id") if isinstance(notification, dict) else None
    return f"{event.kind} {item_id} for {event.audience}" if item_id else f"{event.kind} for {event.audience}"
