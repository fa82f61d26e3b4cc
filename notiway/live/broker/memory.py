"""The broker of a single process: an Event goes straight to this process's hub."""

from __future__ import annotations

from notiway.live.broker import Deliver
from notiway.values.event import Event


class MemoryBroker:
    """Delivers within this process only; with more than one worker the start is refused."""

    def __init__(self) -> None:
        self._deliver: Deliver | None = None

    def start(self, deliver: Deliver) -> None:
        self._deliver = deliver

    def publish(self, event: Event) -> None:
        if self._deliver is not None:
            self._deliver(event)

    def ping(self) -> None:
        return None

    def close(self) -> None:
        self._deliver = None
