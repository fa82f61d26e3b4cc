"""Prometheus metrics of this process. Fan-out adds once per pass, never once per socket."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
LATENCY_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

CONNECTIONS = Gauge("notiway_connections", "Live connections", ["wire"], registry=REGISTRY)
EVENTS_PUBLISHED = Counter("notiway_events_published", "Events handed to the broker", ["kind"], registry=REGISTRY)
EVENTS_RECEIVED = Counter("notiway_events_received", "Events taken from the broker", ["kind"], registry=REGISTRY)
PUBLISH_FAILURES = Counter("notiway_publish_failures", "Events the broker did not take", registry=REGISTRY)
RELAY_DROPS = Counter(
    "notiway_relay_drops", "Events of other processes that waited too long and were dropped", registry=REGISTRY
)
OLDEST_EVENT = Gauge(
    "notiway_oldest_event_seconds", "How long the oldest Event has waited for its fan-out", registry=REGISTRY
)
PUBLISHES_REFUSED = Counter(
    "notiway_publishes_refused", "Requests to publish that were refused because Events waited", registry=REGISTRY
)
FRAMES = Counter("notiway_frames", "Frames handed to connections", registry=REGISTRY)
BACKLOG_DROPS = Counter("notiway_backlog_drops", "Connections closed because they read too slowly", registry=REGISTRY)
QUEUED_BYTES = Gauge("notiway_queued_bytes", "Bytes that wait for slow clients", registry=REGISTRY)
MEMORY_DROPS = Counter(
    "notiway_memory_drops", "Slowest connections closed because too much waited in all", registry=REGISTRY
)
INBOUND_PAUSES = Counter(
    "notiway_inbound_pauses", "Times a client that says too much was read from more slowly", registry=REGISTRY
)
UNFINISHED_REQUESTS = Gauge(
    "notiway_unfinished_requests", "Connections that have not said yet what they want", registry=REGISTRY
)
UNFINISHED_DROPS = Counter(
    "notiway_unfinished_drops", "Connections closed because the head of their request did not come", registry=REGISTRY
)
CONNECTS_WAITING = Gauge("notiway_connects_waiting", "Live connects that wait in line", registry=REGISTRY)
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
    return generate_latest(REGISTRY)
