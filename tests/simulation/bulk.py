"""Bulk: many schedules, in one process of this machine or several, with a line that counts them."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterator
from functools import partial

from .replay import told
from .schedule import Outcome, run, simulating

PART = 250  # schedules between two lines
SHOWN = 20  # faults that are told


def failing(seeds: range, mutant: str | None = None) -> list[Outcome]:
    """Run these seeds; those that failed."""
    with simulating(mutant):
        return [outcome for outcome in map(run, seeds) if outcome.fault is not None]


def run_many(first: int, count: int, processes: int, mutant: str | None = None) -> int:
    """Run `count` seeds from `first` on, tell those that fail, and count; the exit status."""
    parts = [range(start, min(start + PART, first + count)) for start in range(first, first + count, PART)]
    started = time.perf_counter()
    done = faults = 0
    for part, found in zip(parts, _results(parts, processes, mutant), strict=True):
        done += len(part)
        for outcome in found[: max(0, SHOWN - faults)]:
            print(f"\n{told(outcome)}\n  replay: python -m tests.simulation --seed {outcome.seed} --trace", flush=True)
        faults += len(found)
        rate = done / (time.perf_counter() - started)
        end = "\r" if sys.stdout.isatty() and done < count else "\n"
        print(f"{done:,} schedules, {faults} failed, {rate:.0f} a second", end=end, flush=True)
    return 1 if faults else 0


def _results(parts: list[range], processes: int, mutant: str | None) -> Iterator[list[Outcome]]:
    work = partial(failing, mutant=mutant)
    if processes == 1:
        yield from map(work, parts)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(work, parts)
