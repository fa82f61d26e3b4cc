"""The broker of a single process: an Event goes straight to this process's hub."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from notiway.live.broker import Deliver, DeliverAll, OnGap
from notiway.live.broker.channels import new_node
from notiway.pausing import in_stretches
from notiway.values.event import Event


class MemoryBroker:
    """Delivers within this process only; with more than one worker the start is refused."""

    def __init__(self) -> None:
        self.node = new_node()
        self._deliver: Deliver | None = None
        self._deliver_all: DeliverAll | None = None
        self._on_gap: OnGap | None = None

    def start(self, deliver: Deliver, deliver_all: DeliverAll | None = None, on_gap: OnGap | None = None) -> None:
        self._deliver, self._deliver_all, self._on_gap = deliver, deliver_all, on_gap

    def listen(self, audiences: Collection[str]) -> bool:
        return False  # everything is heard

    def unlisten(self, audiences: Collection[str]) -> None:
        return None

    def heard_among(self, audiences: Sequence[str]) -> Collection[str]:
        return audiences

    def publish(self, events: Sequence[Event]) -> None:
        deliver = self._deliver
        if deliver is None:
            return
        if len(events) == 1:
            deliver(events[0])
        elif self._deliver_all is not None:
            self._deliver_all(events)
        else:
            for event in in_stretches(events):
                deliver(event)

    def tell_later(self, events: Sequence[Event]) -> None:
        return None  # whoever is connected reads it at the next heartbeat or connect

    def tell_gap(self, audiences: Collection[str] | None) -> None:
        if self._on_gap is not None:
            self._on_gap(audiences)

    def ping(self) -> None:
        return None

    def close(self) -> None:
        self._deliver = self._deliver_all = self._on_gap = None
