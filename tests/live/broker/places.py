"""Places: the backends that the contract is run over, and processes that are connected to one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from servers import redis_process, wait_until

from notiway.live.broker import Broker, open_broker
from notiway.values.event import Event


class Ear:
    """One process: what it heard, and the gaps that it was told of."""

    def __init__(self, url: str) -> None:
        self.broker: Broker = open_broker(url)
        self.heard: list[Event] = []
        self.gaps: list[object] = []

    def start(self) -> Ear:
        self.broker.start(self.heard.append, on_gap=self.gaps.append)
        return self

    def ids(self, audience: str | None = None) -> list[object]:
        return [each.data.get("n") for each in self.heard if audience in (None, each.audience)]

    def wait(self, count: int) -> list[Event]:
        wait_until(lambda: len(self.heard) >= count)
        return self.heard


def event(number: int, audience: str = "global", kind: str = "sync") -> Event:
    return Event(kind, audience, {"n": number})


@contextmanager
def memory() -> Iterator[str]:
    yield "memory://"


@contextmanager
def redis() -> Iterator[str]:
    with redis_process() as running:
        yield running.url


PLACES = {"memory": memory, "redis": redis}
