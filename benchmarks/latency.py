"""How long a request waits while ten thousand connections are sent one broadcast after the other.

    python benchmarks/latency.py            10,000 connections, about a minute and a half
    python benchmarks/latency.py --quick    1,000 connections
    python benchmarks/latency.py --json PATH    the figures for a program as well

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
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fanout import FILES_BESIDE, NOTIWAY, STORED, Result, running
from storm import Pulse

CLIENTS, QUICK_CLIENTS = 10_000, 1_000
SECONDS = 15.0
GOAL_MS = 10.0


def stretch(result: Result, *, busy: bool) -> dict[str, Any]:
    """What a GET every 5 ms took, with broadcasts back to back beside it or with nothing."""
    pulse = Pulse(result.server.port)
    until = time.monotonic() + SECONDS
    frames = 0
    while busy and time.monotonic() < until:
        frames += result.broadcast(1)
    time.sleep(max(until - time.monotonic(), 0))
    times = pulse.end()
    return {
        "p50_ms": statistics.median(times),
        "p99_ms": statistics.quantiles(times, n=100)[98],
        "longest_ms": max(times),
        "frames_per_second": frames / SECONDS,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1,000 connections")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there too")
    given = parser.parse_args()
    clients = QUICK_CLIENTS if given.quick else CLIENTS
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < clients + FILES_BESIDE:
        raise SystemExit(f"{clients:,} connections need that many open files, and {hard:,} are allowed (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and so the servers are stopped too
    found: dict[str, dict[str, Any]] = {}
    for recipe in (NOTIWAY, STORED):
        with running((recipe,), clients, per_user=1) as (result,):
            result.server.ask(do="connect", to=clients)
            result.opened = clients
            result.broadcast(5)
            found[f"{recipe.name}: idle"] = stretch(result, busy=False)
            found[f"{recipe.name}: broadcasts"] = stretch(result, busy=True)
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}")
    print(f"{clients:,} connections of as many users; a GET of /healthz every 5 ms for {SECONDS:.0f} s.\n")
    print("| while | p50 ms | p99 ms | longest ms | frames a second |")
    print("|---|---|---|---|---|")
    for name, row in found.items():
        print(
            f"| {name} | {row['p50_ms']:.1f} | {row['p99_ms']:.1f} | {row['longest_ms']:.0f}"
            f" | {row['frames_per_second']:,.0f} |"
        )
    print()
    for name, row in found.items():
        if name.endswith("broadcasts"):
            is_met = row["p99_ms"] <= GOAL_MS
            print(f"{'met   ' if is_met else 'MISSED'} {name}: p99 {row['p99_ms']:.1f} ms (at most {GOAL_MS:.0f})")
    if given.json:
        given.json.write_text(json.dumps({"connections": clients, "rows": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
