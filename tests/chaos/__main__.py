"""`python -m chaos --rounds 100`: rounds of kill -9 of the real server under load, and what became of every message."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from clients.producer import Producer
from servers import redis_server
from serving import Site

from chaos.ledger import Ledger, table, total
from chaos.rounds import KILLS, SETTINGS, one_round

FAULTS = ("lost", "doubled", "repeated", "skipped")


def main() -> int:
    """Run the rounds; 1 if anything was lost, doubled, or on no page or two of them."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="decides what is killed, and when")
    parser.add_argument("--kill", choices=KILLS, help="only this (default: all in turn)")
    chosen = parser.parse_args()
    chance = random.Random(chosen.seed)
    print(f"seed {chosen.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="notiway-chaos-"))
    site = Site(folder, "loud_app:app", **SETTINGS).prepare()
    done: list[tuple[str, Ledger]] = []
    try:
        with redis_server() as redis_url:
            site.start()
            producer = Producer(site)
            for number in range(chosen.rounds):
                what = chosen.kill or KILLS[number % len(KILLS)]
                ledger = Ledger(f"round {number + 1}: kill -9 {what}")
                began = time.monotonic()
                one_round(what, site, producer, redis_url, chance, ledger)
                ledger.remarks["seconds"] = round(time.monotonic() - began, 1)
                done.append((what, ledger))
                print("\n".join(table([(ledger.name, ledger.figures())])), flush=True)
    finally:
        site.close()
        failed = [ledger for _, ledger in done if any(ledger.figures()[key] for key in FAULTS)]
        _print_totals(done)
        if failed:
            print(f"{len(failed)} rounds lost or doubled something; the server's log is in {folder}")
        else:
            shutil.rmtree(folder)
    return 1 if failed or not done else 0


def _print_totals(done: list[tuple[str, Ledger]]) -> None:
    rows = []
    for what in KILLS:
        figures = [ledger.figures() for name, ledger in done if name == what]
        if figures:
            rows.append((f"{len(figures)} rounds of kill -9 {what}", total(figures)))
    if done:
        rows.append((f"{len(done)} rounds in all", total([ledger.figures() for _, ledger in done])))
    print("\n".join(["", *table(rows)]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
