"""What a site of a given size needs: processes, Redis and PostgreSQL, computed from measured costs.

    python benchmarks/capacity.py                                      1,000,000 connections, 10,000 sends a second
    python benchmarks/capacity.py --connections 50000 --sends 200
    python benchmarks/capacity.py --costs carried.json                 costs as carried.py has just measured them

It is arithmetic, not a measurement: docs/explanation/capacity.md says which costs were measured where, and what is not
in it.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

US = 1e-6
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Costs:
    """CPU in µs; of one process, connection, send or message. What each is: docs/explanation/capacity.md."""

    node_stored: float = 0.0  # a stored envelope of an array, in the process that takes it
    node_heard: float = 0.0  # more, for one whose user listens with one connection
    node_delivery: float = 0.0  # of a broadcast, to one connection
    node_connect: float = 0.0
    node_idle: float = 0.0  # a connection, each second
    node_kb: float = 0.0  # a connection
    node_base_mb: float = 0.0  # a process without connections
    redis_stored: float = 0.0  # all commands of a stored envelope, its PUBLISH among them
    redis_heard: float = 0.0  # more, for one whose user listens
    redis_delivery: float = 0.0  # of a broadcast, to one more process
    redis_connect: float = 0.0
    redis_idle: float = 0.0  # a connection, each second
    redis_beat: float = 0.0  # a sign of life, which each process gives once a second
    redis_beat_other: float = 0.0  # and for each process that it is told of
    redis_bytes: float = 0.0  # a connection
    postgresql_stored: float = 0.0
    postgresql_heard: float = 0.0  # more, for one whose user listens
    postgresql_connect: float = 0.0
    postgresql_idle: float = 0.0  # a connection, each second
    wal_bytes: float = 0.0  # a stored envelope
    table_bytes: float = 0.0


@dataclass(frozen=True)
class Load:
    """What a site has to do."""

    connections: int = 1_000_000
    sends: float = 10_000.0  # stored, each for one user, a second
    listening: float = 0.5  # connections that a send finds, on average
    lifetime: float = 3_600.0  # of a connection, in seconds
    broadcasts: float = 1.0  # to everybody, an hour
    per_process: int = 10_000  # connections, the most that was measured
    busy: float = 0.5  # of a core that may be used on average
    pool: int = 4  # database connections of a process
    retention_days: float = 30.0


@dataclass(frozen=True)
class Plan:
    """What it comes to. Cores are of CPU that is really used; divide by `Load.busy` for what to buy."""

    processes: int
    limited_by: str  # connections or CPU
    process_core: float  # of a core, on average
    process_mb: float
    broadcast_seconds: float  # of a core in each process, for one broadcast
    redis_core: float
    redis_shards: int
    redis_mb: float
    postgresql_cores: float
    postgresql_partitions: int
    postgresql_connections: int
    wal_mb: float  # a second
    stored_gb: float  # at the end of the retention


def plan(load: Load, costs: Costs, cores_of_one_primary: float = 32.0) -> Plan:
    """The arithmetic.

    >>> plan(Load(connections=25_000, sends=0), Costs(node_idle=10)).processes
    3
    """
    connects = load.connections / load.lifetime
    heard = load.sends * load.listening
    node = (
        load.sends * costs.node_stored
        + heard * costs.node_heard
        + connects * costs.node_connect
        + load.connections * costs.node_idle
        + load.broadcasts / 3600 * load.connections * costs.node_delivery
    ) * US
    by_connections = math.ceil(load.connections / load.per_process)
    by_cpu = math.ceil(node / load.busy)
    processes = max(1, by_connections, by_cpu)
    redis = (
        load.sends * costs.redis_stored
        + heard * costs.redis_heard
        + connects * costs.redis_connect
        + load.connections * costs.redis_idle
        + processes * (costs.redis_beat + processes * costs.redis_beat_other)
        + load.broadcasts / 3600 * processes * costs.redis_delivery
    ) * US
    database = (
        load.sends * costs.postgresql_stored
        + heard * costs.postgresql_heard
        + connects * costs.postgresql_connect
        + load.connections * costs.postgresql_idle
    ) * US
    each = load.connections / processes
    return Plan(
        processes=processes,
        limited_by="connections" if by_connections >= by_cpu else "CPU",
        process_core=node / processes,
        process_mb=costs.node_base_mb + each * costs.node_kb / 1024,
        broadcast_seconds=each * costs.node_delivery * US,
        redis_core=redis,
        redis_shards=max(1, math.ceil(redis / load.busy)),
        redis_mb=load.connections * costs.redis_bytes / 1e6,
        postgresql_cores=database,
        postgresql_partitions=max(1, math.ceil(database / (cores_of_one_primary * load.busy))),
        postgresql_connections=processes * load.pool,
        wal_mb=load.sends * costs.wal_bytes / 1e6,
        stored_gb=load.sends * costs.table_bytes * DAY_SECONDS * load.retention_days / 1e9,
    )


def costs_of(measured: dict[str, Any], kind: str, known: Costs) -> Costs:
    """The costs as `carried.py --json` wrote them, of sends one at a time or in arrays; the rest as they are known."""
    stored, idle = measured["stored"][kind], measured["idle"]
    heard = measured["stored"][f"{kind}, heard"]
    told = measured["publish"]
    most = max(map(int, told))
    beats = {int(count): us for count, us in measured["beat"].items()}
    beat = (beats[max(beats)] - beats[1]) / (max(beats) - 1)
    return replace(
        known,
        node_stored=stored["worker_us"],
        node_heard=max(0.0, heard["worker_us"] - stored["worker_us"]),
        redis_heard=max(0.0, heard["redis_us"] - stored["redis_us"]),
        postgresql_heard=max(0.0, heard["postgresql_us"] - stored["postgresql_us"]),
        redis_stored=stored["redis_us"],
        postgresql_stored=stored["postgresql_us"],
        wal_bytes=stored["wal_bytes"],
        table_bytes=measured["stored"]["table_bytes"],
        redis_delivery=(told[str(most)] - told["0"]) / most,
        node_idle=idle["worker_us_a_second"],
        redis_idle=idle["redis_us_a_second"],
        postgresql_idle=idle["postgresql_us_a_second"],
        node_connect=idle["worker_us_a_connect"],
        redis_connect=idle["redis_us_a_connect"],
        postgresql_connect=idle["postgresql_us_a_connect"],
        redis_beat=beats[1] - beat,
        redis_beat_other=beat,
        redis_bytes=idle["redis_bytes"],
        node_kb=idle["worker_kb"],
    )


def table(plans: Sequence[tuple[str, Plan]]) -> str:
    """Several plans side by side, as Markdown."""
    rows: list[tuple[str, list[str]]] = [
        ("processes (cores) of Notiway", [f"{each.processes:,}, by {each.limited_by}" for _, each in plans]),
        ("a process: of a core, MB", [f"{each.process_core:.2f}, {each.process_mb:,.0f}" for _, each in plans]),
        ("a broadcast to everybody, in each process", [f"{each.broadcast_seconds:.2f} s" for _, each in plans]),
        ("Redis: cores in use, shards", [f"{each.redis_core:.2f}, {each.redis_shards}" for _, each in plans]),
        ("Redis: MB", [f"{each.redis_mb:,.0f}" for _, each in plans]),
        ("PostgreSQL: cores in use", [f"{each.postgresql_cores:.1f}" for _, each in plans]),
        ("PostgreSQL: partitions", [f"{each.postgresql_partitions}" for _, each in plans]),
        ("PostgreSQL: connections", [f"{each.postgresql_connections:,}" for _, each in plans]),
        ("log of PostgreSQL, MB a second", [f"{each.wal_mb:.1f}" for _, each in plans]),
        ("tables and indexes after the retention, GB", [f"{each.stored_gb:,.0f}" for _, each in plans]),
    ]
    names = " | ".join(name for name, _ in plans)
    lines = [f"| | {names} |", "|---|" + "---|" * len(plans)]
    return "\n".join(lines + [f"| {name} | {' | '.join(cells)} |" for name, cells in rows])


# Measured by carried.py and fanout.py, on the day and the machine that docs/explanation/capacity.md names.
KNOWN = Costs(node_delivery=9.1, node_base_mb=90.0)
KINDS = ("one at a time", "array of 100")
MEASURED = Path(__file__).resolve().parent / "carried.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = Load()
    parser.add_argument("--connections", type=int, default=usual.connections)
    parser.add_argument("--sends", type=float, default=usual.sends, help="a second, each stored for one user")
    parser.add_argument("--listening", type=float, default=usual.listening, help="connections that a send finds")
    parser.add_argument("--lifetime", type=float, default=usual.lifetime, help="of a connection, in seconds")
    parser.add_argument("--broadcasts", type=float, default=usual.broadcasts, help="to everybody, an hour")
    parser.add_argument("--busy", type=float, default=usual.busy, help="of a core that may be used on average")
    parser.add_argument("--days", type=float, default=usual.retention_days, help="that notifications are kept")
    parser.add_argument("--costs", type=Path, default=MEASURED, metavar="PATH", help="what carried.py --json wrote")
    given = parser.parse_args()
    load = Load(
        connections=given.connections,
        sends=given.sends,
        listening=given.listening,
        lifetime=given.lifetime,
        broadcasts=given.broadcasts,
        busy=given.busy,
        retention_days=given.days,
    )
    measured = json.loads(given.costs.read_text())
    plans = [(f"sent {kind}", plan(load, costs_of(measured, kind, KNOWN))) for kind in KINDS]
    print(
        f"{load.connections:,} connections, {load.sends:,.0f} stored sends a second, {load.listening:g} of them heard"
    )
    print()
    print(table(plans))


if __name__ == "__main__":
    main()
