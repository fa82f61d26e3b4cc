"""Run schedules: one with its trace, or as many as you like."""

from __future__ import annotations

import argparse
import signal
import sys

from .bulk import run_many
from .replay import replay


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this schedule")
    parser.add_argument("--trace", action="store_true", help="print each step of it, and what it led to")
    parser.add_argument("--steps", type=int, help="take only so many steps of it")
    parser.add_argument("--shrink", action="store_true", help="find the fewest steps that still fail")
    parser.add_argument("--mutant", help="put an old fault back in: a name in mutants.py")
    parser.add_argument("--schedules", type=int, default=2_000, help="how many to run without --seed (2000)")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed (0)")
    parser.add_argument("--processes", type=int, default=1, help="processes of this machine (1)")
    options = parser.parse_args()
    if options.seed is not None:
        return replay(options.seed, options.steps, options.trace, options.shrink, options.mutant)
    for name in (signal.SIGINT, signal.SIGTERM):  # a shell that runs this behind itself has SIGINT ignored
        signal.signal(name, signal.default_int_handler)
    return run_many(options.first, options.schedules, options.processes, options.mutant)


if __name__ == "__main__":
    sys.exit(main())
