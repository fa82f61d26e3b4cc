"""Metrics: what is counted is told in the words of Prometheus, and nothing of the process by itself."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

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


# Several workers of one server

ROOT = Path(__file__).resolve().parent.parent
WORKER = """
import sys
from notiway import metrics
for line in sys.stdin:
    print(repr(eval(line)), flush=True)
"""


class Worker:
    """A process that measures, and answers with what all measure."""

    def __init__(self, process):
        self._process = process

    def do(self, expression):
        self._process.stdin.write(f"{expression}\n")
        self._process.stdin.flush()
        return eval(self._process.stdout.readline())

    def read(self):
        text = self.do("metrics.exposition()").decode()
        families = text_string_to_metric_families(text)
        return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}

    def kill(self):
        self._process.kill()
        self._process.wait()


@pytest.fixture
def workers(tmp_path):
    """Starts workers that share a folder."""
    with contextmanager(_workers)(tmp_path) as start:
        yield start


def _workers(folder):
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return Worker(process)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_each_worker_answers_for_all(workers):
    first, second = workers(), workers()
    first.do("metrics.FRAMES.inc(3), metrics.CONNECTIONS.labels(wire='json').inc(2), metrics.OLDEST_EVENT.set(1.5)")
    second.do("metrics.FRAMES.inc(4), metrics.CONNECTIONS.labels(wire='json').inc(), metrics.OLDEST_EVENT.set(0.5)")
    first.do("metrics.DELIVERY_SECONDS.observe(0.05)")
    second.do("metrics.DELIVERY_SECONDS.observe(0.2)")
    for worker in (first, second):
        found = worker.read()
        assert found["notiway_frames_total",] == 7
        assert found["notiway_connections", "json"] == 3
        assert found["notiway_oldest_event_seconds",] == 1.5, "the oldest of all"
        assert found["notiway_delivery_seconds_bucket", "0.05"] == 1
        assert found["notiway_delivery_seconds_count",] == 2
        assert found["notiway_delivery_seconds_sum",] == pytest.approx(0.25)


def test_what_a_worker_counted_stays_when_it_dies_and_what_it_gauged_goes(workers, tmp_path):
    first, second = workers(), workers()
    for worker in (first, second):
        worker.do("metrics.FRAMES.inc(3), metrics.CONNECTIONS.labels(wire='json').inc(2)")
        worker.do("metrics.DELIVERY_SECONDS.observe(0.05)")
    first.kill()
    for _ in range(2):
        found = second.read()
        assert found["notiway_frames_total",] == 6
        assert found["notiway_connections", "json"] == 2
        assert found["notiway_delivery_seconds_bucket", "0.05"] == 2
    for _ in range(3):
        workers().kill()
    third = workers()
    third.do("metrics.FRAMES.inc()")
    assert third.read()["notiway_frames_total",] == 7
    kept = {path.name for path in tmp_path.glob("*_dead.db")}
    assert kept == {"counter_dead.db", "histogram_dead.db"}
    assert len(list(tmp_path.glob("*.alive"))) == 2, "files of the dead are removed"


def test_what_the_application_measures_for_itself_is_not_ours(workers):
    worker = workers()
    worker.do("__import__('prometheus_client').Counter('shop_orders', 'Orders').inc()")
    assert {name.partition("_")[0] for name, *_ in worker.read()} == {"notiway"}


def test_the_names_are_those_of_one_process(workers):
    alone = {sample.name for family in families().values() for sample in family.samples}
    together = {name for name, *_ in workers().read()}
    assert {name for name in alone if not name.endswith("_created")} >= together
    assert "notiway_frames_total" in together
