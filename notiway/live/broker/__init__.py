"""Broker: carries Events between processes. The URL's scheme picks the backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from notiway.values.errors import ConfigError
from notiway.values.event import Event

Deliver = Callable[[Event], None]


class Broker(Protocol):
    """What a backend offers. `deliver` is called with every Event, in every process, this one included."""

    def start(self, deliver: Deliver) -> None:
        """Begin to deliver; called once in each process."""

    def publish(self, event: Event) -> None:
        """Hand an Event over; raises `OSError` when it cannot be taken."""

    def ping(self) -> None:
        """Return if the backend answers; raises `OSError` otherwise."""

    def close(self) -> None:
        """Stop delivering and let go of connections."""


def open_broker(url: str) -> Broker:
    """The broker behind an URL.

    >>> open_broker("memory://").ping()
    """
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        from notiway.live.broker.memory import MemoryBroker

        return MemoryBroker()
    raise ConfigError(f"There is no broker for {scheme}:// yet; set NOTIWAY_BROKER_URL=memory://")
