"""Format: what a connection speaks, a wire on a transport. An Event is rendered once for each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from notiway.live.carriers import Transport
from notiway.live.connection import Connection
from notiway.live.delivery import counts
from notiway.live.wires import Wire
from notiway.values.event import Event

log = logging.getLogger(__name__)

LEFT_OUT = "the %s wire cannot show %s: it is left out there. Fix what was sent, or the template that draws it"


class Frame(NamedTuple):
    """What one Event is in a format."""

    data: bytes
    key: str | None = None  # a newer frame with it takes its place in a backlog
    item_id: str | None = None  # of the item in it
    unread: int | None = None  # the count that it tells
    is_fresh: bool = False  # a stored item without a count: there is one more now
    position: int | None = None  # of that item in the log


@dataclass(frozen=True)
class Format:
    """A wire on a transport. All its connections share one object."""

    wire: Wire
    transport: Transport
    handle: Callable[[Connection, str], None] | None = None  # what to do with a client's message
    _badges: dict[int, bytes] = field(default_factory=dict, compare=False, repr=False)

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

    def badge(self, unread: int) -> bytes | None:
        """The frame that tells a count, drawn once for each count; None where clients count for themselves."""
        data = self._badges.get(unread)
        if data is None and self.wire.counts:
            try:
                data = self.frame(self.wire.heartbeat(unread))
            except Exception:
                log.exception(LEFT_OUT, self.wire.name, "a count")
            if data is not None and not self.wire.redraws:
                self._badges[unread] = data
        return data

    def render(self, events: Iterable[Event]) -> tuple[bytes, list[Frame]]:
        """The events as bytes to send at once, and frame by frame for connections that have to wait.

        One that fails is logged and left out of this format; the other events, and the other formats, go on.
        """
        single = [frame for event in events if (frame := self._single(event)) is not None]
        return b"".join(frame.data for frame in single), single

    def _single(self, event: Event) -> Frame | None:
        try:
            text = self.wire.render(event)
            if not text:  # an empty frame is no message of any protocol
                return None
            item_id = event.data["notification"]["id"] if event.kind == "created" else None
            data, key = self.transport.encode(text), _key_of(event)
            if not self.wire.counts:
                return Frame(data, key, item_id)
            is_fresh = event.kind == "created" and event.leaves_counts_open
            return Frame(data, key, item_id, event.unread, is_fresh, event.data.get("position"))
        except Exception:
            log.exception(LEFT_OUT, self.wire.name, _named(event))
            return None


def _key_of(event: Event) -> str | None:
    """Under which key a newer frame takes the place of this one in a backlog."""
    if event.kind == "sync":
        return counts.KEY
    replaced = event.data.get("coalesce")
    return None if replaced is None else f"{event.audience} {replaced}"


def _named(event: Event) -> str:
    notification = event.data.get("notification")
    item_id = notification.get("id") if isinstance(notification, dict) else None
    return f"{event.kind} {item_id} for {event.audience}" if item_id else f"{event.kind} for {event.audience}"
