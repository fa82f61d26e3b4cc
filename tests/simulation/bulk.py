"""Bulk: many schedules, in one process of this machine or several, with a line that counts them."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

from .replay import told
from .schedule import Outcome, run, simulating

PART, LEAST = 250, 10  # schedules between two lines
PARTS_EACH = 8  # for each process, or one of them is still at work when the others are done
SCHEDULES_PER_WORKER = 10_000  # then another process takes over, so that nothing that adds up matters
WHOLE_LIFE = ExitStack()  # of a worker
INTERRUPTED = 130  # the exit status of a shell's command that SIGINT ended


def failing(seeds: range, mutant: str | None = None) -> list[Outcome]:
    """Run these seeds; those that failed."""
    with simulating(mutant):
        return _failing(seeds)


def parts_of(seeds: range, processes: int) -> list[range]:
    """What is handed to one process at a time."""
    size = max(min(PART, len(seeds) // (processes * PARTS_EACH)), LEAST)
    return [seeds[start : start + size] for start in range(0, len(seeds), size)]


def run_many(first: int, count: int, processes: int, mutant: str | None = None) -> int:
    """Run `count` seeds from `first` on, tell those that fail, and count; the exit status.

    A failure ends nothing. SIGINT does: what was done until then is counted.
    """
    parts = parts_of(range(first, first + count), processes)
    started = time.perf_counter()
    failed: list[int] = []
    done = 0
    status = None
    try:
        for part, found in zip(parts, _results(parts, processes, mutant), strict=True):
            done += len(part)
            failed += [outcome.seed for outcome in found]
            for outcome in found:
                print(told(outcome), flush=True)
            if sys.stdout.isatty() and done < count:
                print(_counted(done, failed, started), end="\r", flush=True)
    except KeyboardInterrupt:
        status = INTERRUPTED
        print("interrupted", flush=True)
    print(_counted(done, failed, started), flush=True)
    if failed:
        print("replay one: python -m tests.simulation --seed N --trace", flush=True)
    return status or (1 if failed else 0)


def _counted(done: int, failed: list[int], started: float) -> str:
    return f"{done:,} schedules, {len(failed)} failed, {done / (time.perf_counter() - started):.0f} a second"


def _run(seed: int) -> Outcome:
    try:
        return run(seed)
    except Exception as error:  # noqa: BLE001 - a schedule that breaks the simulation itself is told like any other
        return Outcome(seed, f"the simulation broke: {type(error).__name__}: {error}", 0)


def _results(parts: list[range], processes: int, mutant: str | None) -> Iterator[list[Outcome]]:
    context = multiprocessing.get_context("spawn")
    parts_each = max(SCHEDULES_PER_WORKER // max(map(len, parts)), 1)
    with context.Pool(processes, _begin, (mutant,), parts_each) as pool:
        yield from pool.imap(_failing, parts)


def _begin(mutant: str | None) -> None:
    """In a worker: signals are the parent's, and the stand-ins stay from one part to the next."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # with this the pool ends it
    WHOLE_LIFE.enter_context(simulating(mutant))


def _failing(seeds: range) -> list[Outcome]:
    return [outcome for outcome in map(_run, seeds) if outcome.fault is not None]
