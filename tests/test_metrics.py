"""Metrics: what is counted is told in the words of Prometheus, and nothing of the process by itself."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from notiway import metrics


def families():
    return {family.name: family for family in text_string_to_metric_families(metrics.exposition().decode())}


def test_every_metric_is_ours_and_explains_itself():
    found = families()
    assert found
    for name, family in found.items():
        assert name.startswith("notiway_")
        assert family.documentation


@pytest.mark.parametrize(
    ("metric", "name", "labels"),
    [
        (metrics.EVENTS_PUBLISHED.labels(kind="created"), "notiway_events_published_total", {"kind": "created"}),
        (metrics.CLOSES.labels(code="1013"), "notiway_closes_total", {"code": "1013"}),
        (metrics.CONNECTIONS.labels(wire="json"), "notiway_connections", {"wire": "json"}),
        (metrics.FRAMES, "notiway_frames_total", {}),
    ],
)
def test_what_is_counted_is_told(metric, name, labels):
    def value():
        samples = [sample for family in families().values() for sample in family.samples]
        return next(sample.value for sample in samples if (sample.name, sample.labels) == (name, labels))

    before = value()
    metric.inc(3)
    assert value() == before + 3


@pytest.mark.parametrize(("seconds", "bucket"), [(0.0005, 0.001), (0.05, 0.05), (0.051, 0.1), (11, float("inf"))])
def test_a_delivery_is_put_into_the_bucket_of_its_time(seconds, bucket):
    def counts():
        samples = families()["notiway_delivery_seconds"].samples
        return {float(each.labels["le"]): each.value for each in samples if each.name.endswith("_bucket")}

    before = counts()
    metrics.DELIVERY_SECONDS.observe(seconds)
    grown = {edge for edge, count in counts().items() if count == before[edge] + 1}
    assert min(grown) == bucket
    assert grown == {edge for edge in before if edge >= bucket}
