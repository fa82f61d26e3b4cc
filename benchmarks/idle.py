"""What a server costs that has nothing to do: CPU and wake-ups, with nobody connected and with many who say nothing.

    python benchmarks/idle.py               0 and 10,000 connections, about two minutes
    python benchmarks/idle.py --quick       0 and 1,000 connections
    python benchmarks/idle.py --json PATH   the figures as JSON too

README.md beside this file tells what is measured and how.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from fanout import FILES_BESIDE, NAIVE_SIGNED_IN, NOTIWAY, WARM_UP, running
from server import Server

CLIENTS, QUICK_CLIENTS = 10_000, 1_000
SECONDS, QUICK_SECONDS = 45.0, 15.0  # three heartbeats, one
SETTLE_SECONDS = 20.0  # everybody has had a first heartbeat

CPU_GOAL = 3.0  # percent of a core, with all connections
WAKE_UPS_GOAL = 1.0  # a second, with none


def wake_ups(pid: int) -> int:
    """How often any thread of a process has gone to sleep, and so woken up, since it began."""
    found = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("voluntary_ctxt_switches")]
        found += int(line.split()[1])
    return found


def watch(servers: list[Server], seconds: float) -> list[tuple[float, float]]:
    """Percent of a core, and wake-ups a second, of each server in the same stretch of time."""
    before = [(server.cpu_now(), wake_ups(server.pid)) for server in servers]
    started = time.monotonic()
    time.sleep(seconds)
    lasted = time.monotonic() - started
    after = [(server.cpu_now(), wake_ups(server.pid)) for server in servers]
    return [
        ((cpu - cpu_before) / lasted * 100, (count - count_before) / lasted)
        for (cpu, count), (cpu_before, count_before) in zip(after, before, strict=True)
    ]


def measure(clients: int, seconds: float) -> dict[str, dict[str, list[float]]]:
    """By server and number of connections: percent of a core, wake-ups a second, KB a connection beyond the first."""
    with running((NOTIWAY, NAIVE_SIGNED_IN), clients, per_user=1) as results:
        servers = [result.server for result in results]
        found: dict[str, dict[str, list[float]]] = {server.recipe.name: {} for server in servers}
        time.sleep(SETTLE_SECONDS)
        for server, figures in zip(servers, watch(servers, seconds), strict=True):
            found[server.recipe.name]["0"] = [*figures, 0.0]
        empty = []
        for server in servers:
            server.ask(do="connect", to=WARM_UP)
            server.cpu_seconds()
            empty.append(server.own_kib())
            server.ask(do="connect", to=WARM_UP + clients)
        time.sleep(SETTLE_SECONDS)
        for server, figures, kib in zip(servers, watch(servers, seconds), empty, strict=True):
            found[server.recipe.name][str(clients)] = [*figures, (server.own_kib() - kib) / clients]
        return found


def table(found: dict[str, dict[str, list[float]]]) -> str:
    """The figures as Markdown."""
    lines = ["| server | connections | % of a core | wake-ups / s | KB / connection |", "|---|---|---|---|---|"]
    for name, stages in found.items():
        for clients, (cpu, count, kib) in stages.items():
            memory = f"{kib:.1f}" if kib else "-"
            lines.append(f"| {name} | {int(clients):,} | {cpu:.2f} | {count:.1f} | {memory} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1,000 connections, for a shorter time")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the figures are written as JSON")
    given = parser.parse_args()
    clients = QUICK_CLIENTS if given.quick else CLIENTS
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < clients + FILES_BESIDE:
        raise SystemExit(f"{clients:,} connections need that many open files, and {hard:,} are allowed (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and so the servers are stopped too
    found = measure(clients, QUICK_SECONDS if given.quick else SECONDS)
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}")
    print(table(found))
    print()
    cpu, woken = found[NOTIWAY.name][str(clients)][0], found[NOTIWAY.name]["0"][1]
    for text, is_met in (
        (f"{cpu:.2f} % of a core with {clients:,} connections (at most {CPU_GOAL:.0f})", cpu <= CPU_GOAL),
        (f"{woken:.1f} wake-ups a second with none (at most {WAKE_UPS_GOAL:.0f})", woken <= WAKE_UPS_GOAL),
    ):
        print(f"{'met   ' if is_met else 'MISSED'} {text}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
