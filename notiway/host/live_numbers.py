"""Live numbers: samples of this process, taken once a second and told to anyone who watches."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from notiway import metrics
from notiway.live.hub import Hub
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


class LiveNumbers:
    """Samples connections, deliveries a second and delivery latency; `tick` runs on the reactor.

    The numbers describe this process, so they go to the clients connected to it, not through the broker.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._samples: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._frames = _value(metrics.FRAMES, "_total")
        self._buckets = _buckets()
        self._at = time.monotonic()

    def history(self, tenant: str | None = None) -> list[dict[str, Any]]:
        """The latest samples, oldest first; of a tenant only the present one, for its history is not kept."""
        samples = list(self._samples)
        return samples if tenant is None else [self._scoped(sample, tenant) for sample in samples[-1:]]

    def tick(self) -> None:
        """Take a sample, and tell each group that somebody here listens to."""
        sample = self._take()
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
        return {
            "at": now_ms(),
            "connections": len(self._hub),
            "deliveries": round(max(sent, 0.0) / passed, 1),
            "latencyMs": self._latency(),
        }

    def _latency(self) -> float | None:
        """How many milliseconds a delivery of the last second took, of 95 % of them; None without any."""
        buckets = _buckets()
        before, self._buckets = self._buckets, buckets
        counts = [count - old for (_, count), (_, old) in zip(buckets, before, strict=True)]
        if not counts or counts[-1] <= 0:
            return None
        wanted = counts[-1] * LATENCY_SHARE
        place = next(index for index, count in enumerate(counts) if count >= wanted)
        low, under = (buckets[place - 1][0], counts[place - 1]) if place else (0.0, 0.0)
        high = min(buckets[place][0], metrics.LATENCY_BUCKETS_SECONDS[-1])
        return round(1000 * (low + (high - low) * (wanted - under) / max(counts[place] - under, 1)), 2)

    def _scoped(self, sample: dict[str, Any], tenant: str) -> dict[str, Any]:
        return {**sample, "tenant": tenant, "connections": self._hub.listeners.count(Audience.tenant(tenant).key)}


def _value(metric: Any, suffix: str) -> float:
    samples = (sample for family in metric.collect() for sample in family.samples)
    return float(sum(sample.value for sample in samples if sample.name.endswith(suffix)))


def _buckets() -> list[tuple[float, float]]:
    """Upper edge in seconds and cumulated count, as the histogram has them."""
    samples = (sample for family in metrics.DELIVERY_SECONDS.collect() for sample in family.samples)
    return [(float(sample.labels["le"]), sample.value) for sample in samples if "le" in sample.labels]
