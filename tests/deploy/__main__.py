"""`python -m deploy`: three nodes behind nginx: what each costs, and what becomes of a load while they restart."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from chaos.ledger import Ledger, table
from chaos.screen import Screen
from postgres import Postgres, postgres_server
from servers import redis_server

from deploy.figures import Share, Work, capacity, idle, rolling_restart, silence
from deploy.nodes import nodes

NODES = 3
BELL_RETRY_SECONDS = (0.35, 0.65)  # the bell's first delay and its jitter: what a page does when its line ends


def main() -> int:
    """Print the three tables; 1 if a restart lost or doubled anything."""
    parser = argparse.ArgumentParser(prog="python -m deploy", description=__doc__)
    parser.add_argument("--listeners", type=int, default=900)
    parser.add_argument("--broadcasts", type=int, default=50)
    parser.add_argument("--sends", type=int, default=3000)
    parser.add_argument("--restarts", type=int, default=5, help="of all three nodes, one after the other")
    parser.add_argument("--clients", type=int, default=3, help="of each wire, during restarts")
    chosen = parser.parse_args()
    print(
        f"{datetime.now(UTC):%d %B %Y %H:%M} UTC, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n", flush=True
    )
    with redis_server() as redis_url, postgres_server() as postgres:
        _print_silence(postgres, redis_url, chosen.sends)
        _print_capacity(postgres, redis_url, chosen)
        return _restarts(postgres, redis_url, chosen)


def _print_silence(postgres: Postgres, redis_url: str, sends: int) -> None:
    with tempfile.TemporaryDirectory() as folder, nodes(Path(folder), NODES, postgres, redis_url) as made:
        work = silence(made, 100, sends)
        resting = idle(made, work.seconds)
    print(f"{sends:,} stored sends to users who listen at the first node, published at the second\n")
    print("| node | Events from Redis | CPU s | CPU s with nothing to do, in as much time |\n|---|---|---|---|")
    for name, did, rested in zip(("listens", "publishes", "neither"), work.shares, resting, strict=True):
        print(f"| {name} | {did.events:,.0f} | {did.cpu_seconds:.2f} | {rested.cpu_seconds:.2f} |")
    print(flush=True)


def _print_capacity(postgres: Postgres, redis_url: str, chosen: argparse.Namespace) -> None:
    print(f"{chosen.listeners:,} listeners in all, spread over the nodes\n")
    print("| what | nodes | deliveries | CPU µs each | CPU s of each node | a second, each on its core | here |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for count in range(1, NODES + 1):
        with tempfile.TemporaryDirectory() as folder, nodes(Path(folder), count, postgres, redis_url) as made:
            done = capacity(made, chosen.listeners, chosen.broadcasts, chosen.sends)
        for what, work in done.items():
            print(f"| {what} | {count} | {_row(work)} |", flush=True)
    print()


def _row(work: Work) -> str:
    shares = " / ".join(_seconds(share) for share in work.shares)
    own, here = work.deliveries / work.busiest, work.deliveries / work.seconds
    return f"{work.deliveries:,} | {work.cpu_us:,.0f} | {shares} | {own:,.0f} | {here:,.0f}"


def _seconds(share: Share) -> str:
    return f"{share.cpu_seconds:.2f}"


def _restarts(postgres: Postgres, redis_url: str, chosen: argparse.Namespace) -> int:
    Screen.retry_seconds = BELL_RETRY_SECONDS
    failed = 0
    with tempfile.TemporaryDirectory() as folder, nodes(Path(folder), NODES, postgres, redis_url) as made:
        for number in range(chosen.restarts):
            ledger = Ledger(f"rolling restart {number + 1}: {NODES} nodes, {4 * chosen.clients} clients")
            rolling_restart(made, ledger, chosen.clients, acknowledged=30)
            print("\n".join(table([(ledger.name, ledger.figures())])), flush=True)
            failed += bool(ledger.lost or ledger.doubled)
    return 1 if failed or not chosen.restarts else 0


if __name__ == "__main__":
    sys.exit(main())
