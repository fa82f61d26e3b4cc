"""Live numbers: samples of all processes, taken once a second and told to anyone who watches."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from notiway import metrics
from notiway.live.hub import Hub
from notiway.live.shared.node import Node
from notiway.live.shared.presence import Presence
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.event import Event
from notiway.values.ids import new_id
from notiway.values.item import Item

GROUP = "dashboard-ops"
EVENT = "dashboard-update"
INTERVAL_SECONDS = 1.0
KEPT = 120  # samples: two minutes
LATENCY_SHARE = 0.95  # of the deliveries were at least as fast
NUMBERS = "live"  # their place among what a process tells others
EDGES_SECONDS = (*metrics.LATENCY_BUCKETS_SECONDS, float("inf"))  # of the buckets of DELIVERY_SECONDS
TENANTS = 500  # of which a process tells others how many connections it has


class LiveNumbers:
    """Samples connections, deliveries a second and delivery latency; `tick` runs on the reactor.

    Each process tells the others its own numbers (`Presence.numbers`), and its own clients the sum.
    """

    def __init__(self, hub: Hub, presence: Presence) -> None:
        self._hub = hub
        self._presence = presence
        self._samples: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._frames = _value(metrics.FRAMES, "_total")
        self._buckets = _buckets()
        self._others: list[Mapping[str, Any]] = []
        self._at = time.monotonic()

    def history(self, tenant: str | None = None) -> list[dict[str, Any]]:
        """The latest samples, oldest first; of a tenant only the present one, for its history is not kept."""
        samples = list(self._samples)
        return samples if tenant is None else [self._scoped(sample, tenant) for sample in samples[-1:]]

    def tick(self) -> None:
        """Take a sample, and tell each group that somebody here listens to."""
        mine = self._presence.numbers[NUMBERS] = self._take()
        self._others = [each for node in self._presence.others if (each := _told(node)) is not None]
        sample = self._sum([mine, *self._others])
        self._samples.append(sample)
        for key in self._hub.listeners.audiences(f":{GROUP}"):
            audience = Audience.parse(key)
            if audience.value == GROUP:
                tenant = audience.tenant_id
                self._tell(key, sample if tenant is None else self._scoped(sample, tenant))

    def _tell(self, key: str, sample: dict[str, Any]) -> None:
        item = Item(
            id=new_id(),
            audience=key,
            name=EVENT,
            type="info",
            priority="low",
            title="Dashboard update",
            message="",
            created_at=sample["at"],
            body=sample,
            source="notiway",
            persisted=False,
        )
        data = {"notification": item.as_dict(), "coalesce": EVENT}
        self._hub.deliver(Event("created", key, data, time.time()))

    def _take(self) -> dict[str, Any]:
        now = time.monotonic()
        passed, self._at = max(now - self._at, 0.001), now
        frames = _value(metrics.FRAMES, "_total")
        sent, self._frames = frames - self._frames, frames
        buckets = _buckets()
        before, self._buckets = self._buckets, buckets
        tenants = self._hub.listeners.audiences_of("tenant:")[:TENANTS]
        return {
            "connections": len(self._hub),
            "deliveries": max(sent, 0.0) / passed,
            "within": [count - old for count, old in zip(buckets, before, strict=True)],
            "tenants": {key: self._hub.listeners.count(key) for key in tenants},
        }

    def _sum(self, all_told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {
            "at": now_ms(),
            "connections": sum(each["connections"] for each in all_told),
            "deliveries": round(sum(each["deliveries"] for each in all_told), 1),
            "latencyMs": _latency([sum(counts) for counts in zip(*(each["within"] for each in all_told), strict=True)]),
        }

    def _scoped(self, sample: dict[str, Any], tenant: str) -> dict[str, Any]:
        key = Audience.tenant(tenant).key
        elsewhere = sum(each["tenants"].get(key, 0) for each in self._others)
        return {**sample, "tenant": tenant, "connections": self._hub.listeners.count(key) + elsewhere}


def _told(node: Node) -> Mapping[str, Any] | None:
    """The numbers of another process; None where it tells none, or tells them in another way."""
    told = node.numbers.get(NUMBERS)
    if not isinstance(told, dict) or not {"connections", "deliveries", "within", "tenants"} <= told.keys():
        return None
    return told if len(told["within"]) == len(EDGES_SECONDS) else None


def _latency(counts: Sequence[float]) -> float | None:
    """How many milliseconds 95 % of the deliveries took at most, of which so many took no longer than each edge."""
    if counts[-1] <= 0:
        return None
    wanted = counts[-1] * LATENCY_SHARE
    place = next(index for index, count in enumerate(counts) if count >= wanted)
    low, under = (EDGES_SECONDS[place - 1], counts[place - 1]) if place else (0.0, 0.0)
    high = min(EDGES_SECONDS[place], metrics.LATENCY_BUCKETS_SECONDS[-1])
    return round(1000 * (low + (high - low) * (wanted - under) / max(counts[place] - under, 1)), 2)


def _value(metric: Any, suffix: str) -> float:
    samples = (sample for family in metric.collect() for sample in family.samples)
    return float(sum(sample.value for sample in samples if sample.name.endswith(suffix)))


def _buckets() -> list[float]:
    """The cumulated count of each edge, as the histogram has them."""
    samples = (sample for family in metrics.DELIVERY_SECONDS.collect() for sample in family.samples)
    return [sample.value for sample in samples if "le" in sample.labels]
