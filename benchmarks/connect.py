"""What a connect costs, and how soon ten thousand clients that lost their server are back.

    python benchmarks/connect.py            CPU of a connect beside the naive loops, about two minutes
    python benchmarks/connect.py --storm    10,000 connected, the server is killed and started again, about one minute
    python benchmarks/connect.py --json PATH    the figures as JSON too

README.md beside this file tells what is measured and how.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import signal
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fanout import BARE, FILES_BESIDE, NAIVE, NAIVE_SIGNED_IN, NOTIWAY, running
from server import Server
from storm import storm

WARM_UP = 1_000
BATCH = 1_000  # connects
BATCHES = 7
QUICK_BATCH, QUICK_BATCHES = 300, 5
STORM_CLIENTS = 10_000

CONNECT_GOAL_MS = 0.6
BACK_GOAL_SECONDS = 15.0
GET_GOAL_MS = 50.0


def connects(batch: int, batches: int) -> dict[str, list[float]]:
    """Milliseconds of CPU for a connect, by server: one figure for each batch. The servers take turns."""
    with running((NOTIWAY, NAIVE_SIGNED_IN, NAIVE, BARE), batch * batches, per_user=1) as results:
        servers = [result.server for result in results]
        found: dict[str, list[float]] = {server.recipe.name: [] for server in servers}
        for server in servers:
            server.ask(do="connect", to=WARM_UP)
        for number in range(1, batches + 1):
            for server in servers:
                found[server.recipe.name].append(_grow(server, WARM_UP + number * batch) * 1e3 / batch)
        return found


def _grow(server: Server, to: int) -> float:
    before = server.cpu_seconds()
    server.ask(do="connect", to=to)
    return server.cpu_seconds() - before


def connect_table(found: dict[str, list[float]]) -> str:
    """The figures as Markdown, and how each compares with the loop that does the same work."""
    peer = statistics.median(found[NAIVE_SIGNED_IN.name])
    lines = [
        "| server | CPU ms / connect, median | of its batches | beside the loop that signs in |",
        "|---|---|---|---|",
    ]
    for name, batches in found.items():
        median = statistics.median(batches)
        lines.append(f"| {name} | {median:.3f} | {min(batches):.3f} to {max(batches):.3f} | {median / peer:.2f} |")
    return "\n".join(lines)


def storm_table(found: dict[str, Any]) -> str:
    """The figures of a reconnect storm as Markdown."""
    heads = {
        "clients": f"{found['clients']:,}",
        "server away s": f"{found['away_seconds']:.1f}",
        "half back after s": f"{found['half_back_seconds']:.1f}",
        "all back after s": f"{found['back_seconds']:.1f}",
        "tries": f"{found['tries']:,}",
        "refused": f"{found['refused']:,}",
        "GET p50 ms": f"{found['get_p50_ms']:.1f}",
        "GET p99 ms": f"{found['get_p99_ms']:.1f}",
        "longest ms": f"{found['get_longest_ms']:.0f}",
        "CPU s": f"{found['cpu_seconds']:.1f}",
    }
    return f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n| {' | '.join(heads.values())} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller batches")
    parser.add_argument("--storm", action="store_true", help="a reconnect storm instead")
    parser.add_argument("--clients", type=int, default=STORM_CLIENTS, help="in the storm (10,000)")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the figures are written as JSON")
    given = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < given.clients + FILES_BESIDE:
        raise SystemExit(f"{given.clients:,} clients need that many open files, and {hard:,} are allowed (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and so the servers are stopped too
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}")
    figures: dict[str, Any]
    if given.storm:
        figures = storm(given.clients)
        print(storm_table(figures))
        goals = [
            (f"all back {figures['back_seconds']:.1f} s after the server's return (at most {BACK_GOAL_SECONDS:.0f})",
             figures["back_seconds"] <= BACK_GOAL_SECONDS),
            (f"GET p99 {figures['get_p99_ms']:.1f} ms meanwhile (at most {GET_GOAL_MS:.0f})",
             figures["get_p99_ms"] <= GET_GOAL_MS),
        ]  # fmt: skip
    else:
        figures = connects(*((QUICK_BATCH, QUICK_BATCHES) if given.quick else (BATCH, BATCHES)))
        print(connect_table(figures))
        median = statistics.median(figures[NOTIWAY.name])
        goals = [(f"{median:.2f} ms CPU per connect (at most {CONNECT_GOAL_MS})", median <= CONNECT_GOAL_MS)]
    print()
    for text, is_met in goals:
        print(f"{'met   ' if is_met else 'MISSED'} {text}")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
