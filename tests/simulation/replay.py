"""Replay: one schedule again, exactly as it went, with its trace."""

from __future__ import annotations

from .schedule import Outcome, run, simulating


def replay(seed: int, steps: int | None, traced: bool, shrinks: bool, mutant: str | None) -> int:
    """Run a seed and tell what came out; the exit status."""
    with simulating(mutant):
        if shrinks:
            steps = fewest_steps(seed)
        outcome = run(seed, steps_at_most=steps, traced=traced)
    for line in outcome.trace:
        print(line)
    print(told(outcome))
    return 1 if outcome.fault else 0


def fewest_steps(seed: int) -> int | None:
    """After how many steps, with a rest behind them, the schedule fails first; None if it does not."""
    whole = run(seed)
    return next((each for each in range(whole.steps + 1) if run(seed, steps_at_most=each).fault), None)


def told(outcome: Outcome) -> str:
    if outcome.fault is None:
        return f"seed {outcome.seed}: {outcome.steps} steps, no fault"
    return f"seed {outcome.seed}: after {outcome.steps} steps: {outcome.fault}"
