"""Prometheus metrics of this process, or of all workers of a server. Fan-out adds once per pass, not once per socket.

Several workers share one port, so each must be able to answer for all. `gunicorn.conf.py` then names a folder in
PROMETHEUS_MULTIPROC_DIR, in which prometheus_client keeps each worker's values in files.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

REGISTRY = CollectorRegistry()
OURS = "notiway_"
FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
ALIVE = ".alive"  # the ending of a file whose lock a worker holds as long as it lives
THE_DEAD = "dead"  # whose files have what was counted by workers that have ended
LATENCY_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

CONNECTIONS = Gauge("notiway_connections", "Live connections", ["wire"], registry=REGISTRY, multiprocess_mode="livesum")
EVENTS_PUBLISHED = Counter("notiway_events_published", "Events handed to the broker", ["kind"], registry=REGISTRY)
EVENTS_RECEIVED = Counter("notiway_events_received", "Events taken from the broker", ["kind"], registry=REGISTRY)
PUBLISH_FAILURES = Counter("notiway_publish_failures", "Events the broker did not take", registry=REGISTRY)
BROKER_GAPS = Counter(
    "notiway_broker_gaps", "Times Events were lost on their way, so that clients had to resume", registry=REGISTRY
)
RELAY_DROPS = Counter(
    "notiway_relay_drops", "Events of other processes that waited too long and were dropped", registry=REGISTRY
)
OLDEST_EVENT = Gauge(
    "notiway_oldest_event_seconds",
    "How long the oldest Event has waited for its fan-out",
    registry=REGISTRY,
    multiprocess_mode="livemax",
)
PUBLISHES_REFUSED = Counter(
    "notiway_publishes_refused", "Requests to publish that were refused because Events waited", registry=REGISTRY
)
FRAMES = Counter("notiway_frames", "Frames handed to connections", registry=REGISTRY)
BACKLOG_DROPS = Counter("notiway_backlog_drops", "Connections closed because they read too slowly", registry=REGISTRY)
QUEUED_BYTES = Gauge(
    "notiway_queued_bytes", "Bytes that wait for slow clients", registry=REGISTRY, multiprocess_mode="livesum"
)
MEMORY_DROPS = Counter(
    "notiway_memory_drops", "Slowest connections closed because too much waited in all", registry=REGISTRY
)
INBOUND_PAUSES = Counter(
    "notiway_inbound_pauses", "Times a client that says too much was read from more slowly", registry=REGISTRY
)
UNFINISHED_REQUESTS = Gauge(
    "notiway_unfinished_requests",
    "Connections that have not said yet what they want",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
UNFINISHED_DROPS = Counter(
    "notiway_unfinished_drops", "Connections closed because the head of their request did not come", registry=REGISTRY
)
CONNECTS_WAITING = Gauge(
    "notiway_connects_waiting", "Live connects that wait in line", registry=REGISTRY, multiprocess_mode="livesum"
)
CONNECTS_REFUSED = Counter(
    "notiway_connects_refused", "Live connects refused because too many came at once", registry=REGISTRY
)
CLOSES = Counter("notiway_closes", "Connections closed by this server", ["code"], registry=REGISTRY)
DELIVERY_SECONDS = Histogram(
    "notiway_delivery_seconds",
    "From publishing an Event to the end of its fan-out",
    buckets=LATENCY_BUCKETS_SECONDS,
    registry=REGISTRY,
)
DATABASE_SECONDS = Counter("notiway_database_seconds", "Time spent in database calls", registry=REGISTRY)
DATABASE_QUERIES = Counter("notiway_database_queries", "Database calls", registry=REGISTRY)


def exposition() -> bytes:
    """The text that `/metrics` answers."""
    if not FOLDER:
        return generate_latest(REGISTRY)
    folder = Path(FOLDER)
    with _alone_in(folder):
        for worker in _ended(folder):
            _add_to_the_dead(folder, worker)
        return generate_latest(_Workers(FOLDER))


class _Workers(Collector):
    """What all workers count, without what the application counts for itself."""

    def __init__(self, folder: str) -> None:
        self._all: Any = MultiProcessCollector(None, folder)  # type: ignore[no-untyped-call]

    def collect(self) -> Iterator[Metric]:
        return (metric for metric in self._all.collect() if metric.name.startswith(OURS))


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _ended(folder: Path) -> list[str]:
    """The numbers of the workers that live no more: the kernel lets go of their locks, however they end."""
    ended = []
    for path in folder.glob(f"*{ALIVE}"):
        with path.open("a") as file, suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ended.append(path.stem)
    return ended


def _add_to_the_dead(folder: Path, worker: str) -> None:
    """Keep what a worker has counted, for counters must not fall; what it gauged is over."""
    for path in folder.glob(f"*_{worker}.db"):
        kind = path.stem.partition("_")[0]
        if kind != "gauge":
            kept: Any = MmapedDict(str(folder / f"{kind}_{THE_DEAD}.db"))  # type: ignore[no-untyped-call]
            for key, value, _, _ in kept.read_all_values_from_file(str(path)):
                kept.write_value(key, kept.read_value(key)[0] + value, 0.0)
            kept.close()
        path.unlink()
    (folder / f"{worker}{ALIVE}").unlink()


def _live(folder: Path) -> None:
    """Let others see that this worker lives. The file stays open until the process ends, and its lock with it."""
    with _alone_in(folder):
        file = os.open(folder / f"{os.getpid()}{ALIVE}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)


if FOLDER:
    _live(Path(FOLDER))
