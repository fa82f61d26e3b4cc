"""The broker of a single process: an Event goes straight to this process's hub."""

from __future__ import annotations

from collections.abc import Sequence

from notiway.live.broker import Deliver, DeliverAll
from notiway.values.event import Event


class MemoryBroker:
    """Delivers within this process only; with more than one worker the start is refused."""

    def __init__(self) -> None:
        self._deliver: Deliver | None = None
        self._deliver_all: DeliverAll | None = None

    def start(self, deliver: Deliver, deliver_all: DeliverAll | None = None) -> None:
        self._deliver, self._deliver_all = deliver, deliver_all

    def publish(self, event: Event) -> None:
        if self._deliver is not None:
            self._deliver(event)

    @property
    def takes_many(self) -> bool:
        return self._deliver_all is not None

    def publish_all(self, events: Sequence[Event]) -> None:
        if self._deliver_all is not None:
            self._deliver_all(events)

    def ping(self) -> None:
        return None

    def close(self) -> None:
        self._deliver = self._deliver_all = None
