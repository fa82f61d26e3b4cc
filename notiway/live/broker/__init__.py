"""Broker: carries Events between processes. The URL's scheme picks the backend."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from notiway.values import broker_url
from notiway.values.errors import ConfigError, Fault
from notiway.values.event import Event

Deliver = Callable[[Event], None]
DeliverAll = Callable[[Sequence[Event]], None]
OnGap = Callable[[Collection[str] | None], None]


class Broker(Protocol):
    """What a backend offers. `deliver` is called with every Event of what is listened to, in every process."""

    node: str  # this process, from the start on: the ids of its connections begin with it

    def start(self, deliver: Deliver, deliver_all: DeliverAll | None = None, on_gap: OnGap | None = None) -> None:
        """Begin to deliver; called once in each process, and returns at once, whether the backend answers or not.

        `on_gap` is called after Events were lost, or may have been, when those that follow are heard again: with the
        audiences they were for, None for all. Within one process there are no gaps; there several Events at once go to
        `deliver_all`, if it is given.
        """

    def listen(self, audiences: Collection[str]) -> bool:
        """Hear these audiences; returns when that is confirmed, and whether any of them was not heard before.

        `BrokerDown` if it is not confirmed in time; they are heard as soon as the backend answers, after a gap.
        """

    def unlisten(self, audiences: Collection[str]) -> None:
        """Hear these no more, soon."""

    def heard_among(self, audiences: Sequence[str]) -> Collection[str]:
        """Those that any process may hear; `BrokerDown` if the backend does not say so."""

    def publish(self, events: Sequence[Event]) -> None:
        """Hand Events over, in their order and in one round trip.

        `OSError` within a bounded time when they cannot be taken, of which `BrokerDown` is one; some may have been.
        """

    def tell_later(self, events: Sequence[Event]) -> None:
        """Publish what was not taken as soon as the backend answers again; what cannot be kept until then is a gap."""

    def tell_gap(self, audiences: Collection[str] | None) -> None:
        """Let every process bring up to date whoever hears these audiences, None for all: something was lost."""

    def ping(self) -> None:
        """Return if the backend answers; raises `OSError` otherwise."""

    def close(self) -> None:
        """Stop delivering and let go of connections."""


def open_broker(url: str) -> Broker:
    """The broker behind an URL; it connects when it is needed.

    >>> open_broker("memory://").ping()
    """
    problem = broker_url.fault(url)
    if problem is not None:
        raise ConfigError("There is no such broker", [Fault("NOTIWAY_BROKER_URL", problem)])
    if broker_url.is_shared(url):
        from notiway.live.broker.redis_broker import RedisBroker

        return RedisBroker(url)
    from notiway.live.broker.memory import MemoryBroker

    return MemoryBroker()
