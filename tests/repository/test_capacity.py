"""The capacity plan's arithmetic: what it multiplies, where it rounds, and which limit it names."""

import importlib
import json
from dataclasses import fields, replace

import pytest
from serving import ROOT

BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture(scope="module")
def capacity():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield importlib.import_module("capacity")


@pytest.fixture
def load(capacity):
    """Round numbers: 20,000 connections that live for 1,000 s, 100 sends a second."""
    return capacity.Load(
        connections=20_000, sends=100, listening=0.5, lifetime=1_000, broadcasts=0, busy=0.5, retention_days=10
    )


def test_connections_decide_where_little_is_done(capacity, load):
    found = capacity.plan(load, capacity.Costs(node_kb=2, node_base_mb=100))
    assert (found.processes, found.limited_by) == (2, "connections")
    assert found.process_mb == pytest.approx(100 + 10_000 * 2 / 1024)
    assert capacity.plan(replace(load, connections=20_001), capacity.Costs()).processes == 3


def test_cpu_decides_where_much_is_done_and_no_core_is_busier_than_allowed(capacity, load):
    costs = capacity.Costs(node_stored=10_000, node_heard=1_000, node_connect=5_000, node_idle=100)
    found = capacity.plan(load, costs)
    used = 100 * 0.01 + 50 * 0.001 + 20 * 0.005 + 20_000 * 0.0001
    assert (found.processes, found.limited_by) == (7, "CPU"), used
    assert found.process_core == pytest.approx(used / 7)
    assert found.process_core <= load.busy


def test_what_redis_carries(capacity, load):
    costs = capacity.Costs(redis_stored=2_000, redis_heard=1_000, redis_connect=5_000, redis_idle=10, redis_bytes=300)
    found = capacity.plan(load, costs)
    assert found.redis_core == pytest.approx(100 * 0.002 + 50 * 0.001 + 20 * 0.005 + 20_000 * 0.00001)
    assert found.redis_shards == 2
    assert found.redis_mb == pytest.approx(6)


def test_signs_of_life_grow_with_the_square_of_the_processes(capacity, load):
    costs = capacity.Costs(redis_beat=1_000, redis_beat_other=100)
    found = [capacity.plan(replace(load, connections=each), costs) for each in (100_000, 1_000_000)]
    assert [each.processes for each in found] == [10, 100]
    assert [each.redis_core for each in found] == [pytest.approx(0.02), pytest.approx(1.1)]


def test_what_postgresql_carries(capacity, load):
    database = {"postgresql_stored": 200_000, "postgresql_heard": 2_000, "postgresql_connect": 1_000}
    costs = capacity.Costs(**database, postgresql_idle=100, wal_bytes=2_000, table_bytes=1_000)
    found = capacity.plan(load, costs, cores_of_one_primary=16)
    assert found.postgresql_cores == pytest.approx(100 * 0.2 + 50 * 0.002 + 20 * 0.001 + 20_000 * 0.0001)
    assert found.postgresql_partitions == 3
    assert found.postgresql_connections == found.processes * load.pool
    assert found.wal_mb == pytest.approx(0.2)
    assert found.stored_gb == pytest.approx(86.4)


def test_a_broadcast_reaches_every_connection_once_and_every_process(capacity, load):
    costs = capacity.Costs(node_delivery=10, redis_delivery=3_600)
    quiet, loud = (capacity.plan(replace(load, sends=0, broadcasts=each), costs) for each in (0, 3_600))
    assert loud.broadcast_seconds == pytest.approx(0.1)
    assert loud.process_core * loud.processes == pytest.approx(0.2)
    assert quiet.process_core == 0
    assert loud.redis_core == pytest.approx(2 * 0.0036)


def test_twice_of_everything_costs_twice_as_much(capacity, load):
    square = {"redis_beat": 0.0, "redis_beat_other": 0.0}
    costs = capacity.Costs(**{each.name: 50.0 for each in fields(capacity.Costs)} | square)
    once = capacity.plan(load, costs)
    twice = capacity.plan(replace(load, connections=40_000, sends=200), costs)
    for name in ("redis_core", "redis_mb", "postgresql_cores", "wal_mb", "stored_gb"):
        assert getattr(twice, name) == pytest.approx(2 * getattr(once, name)), name
    assert 2 * once.processes - 1 <= twice.processes <= 2 * once.processes, "what is left over is rounded up"


def test_the_measured_costs_are_taken_where_they_belong(capacity):
    measured = json.loads(capacity.MEASURED.read_text())
    known = capacity.Costs(node_delivery=9.0, node_base_mb=100.0)
    for kind in capacity.KINDS:
        costs = capacity.costs_of(measured, kind, known)
        assert (costs.node_delivery, costs.node_base_mb) == (9.0, 100.0)
        assert costs.postgresql_stored == measured["stored"][kind]["postgresql_us"]
        assert costs.node_stored > costs.redis_stored > 0
        assert all(getattr(costs, each.name) >= 0 for each in fields(costs)), costs


def test_the_plan_is_printed_for_both_kinds_of_producers(capacity, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["capacity.py", "--connections", "50000", "--sends", "200"])
    capacity.main()
    shown = capsys.readouterr().out
    assert shown.startswith("50,000 connections, 200 stored sends a second")
    assert [shown.count(f"sent {kind}") for kind in capacity.KINDS] == [1, 1]
    assert len([line for line in shown.splitlines() if line.startswith("|")]) == 12
