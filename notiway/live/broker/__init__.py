"""Broker: carries Events between processes. The URL's scheme picks the backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import urlsplit

from notiway.values.errors import ConfigError
from notiway.values.event import Event

Deliver = Callable[[Event], None]
DeliverAll = Callable[[Sequence[Event]], None]


class Broker(Protocol):
    """What a backend offers. `deliver` is called with every Event, in every process, this one included."""

    def start(self, deliver: Deliver, deliver_all: DeliverAll | None = None) -> None:
        """Begin to deliver; called once in each process. With `deliver_all`, several at once go there together."""

    def publish(self, event: Event) -> None:
        """Hand an Event over; raises `OSError` when it cannot be taken."""

    @property
    def takes_many(self) -> bool:
        """Whether several together cost less than one by one."""

    def publish_all(self, events: Sequence[Event]) -> None:
        """Hand over several, in their order, where it takes many; where it raises, some may have been taken."""

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
