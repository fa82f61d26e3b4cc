"""The simulation finds faults that Notiway had, or could have: so its silence means something."""

from __future__ import annotations

import pytest

from .mutants import MUTANTS
from .schedule import run, simulating

WITHIN = 600  # schedules
BEGINS = {  # the first of them, for faults that few schedules show
    "subscribe-by-a-stale-look": 60,
    "a-wire-that-fails-ends-the-fan-out": 60,
    "a-kick-passes-over-who-is-joining": 150,
    "a-late-leaving-is-final": 2_150,
    "nobody-waits-until-it-is-heard": 70,
}
# What each fault breaks first. The same fault may show as another one, for each schedule stops at its first.
SHOWS = {
    "resume-without-overlap": "invariant 5",
    "a-hub-resume-begins-now": "invariant 5",
    "subscribe-by-a-stale-look": "listens to group:open-x, but did not hear",
    "heartbeats-count-rows": "invariant 4",
    "publish-before-commit": "invariant 1",
    "one-more-instead-of-how-many": "invariant 4",
    "a-wire-that-fails-ends-the-fan-out": "invariant 5",
    "a-kick-passes-over-who-is-joining": "a sign-out passed over",
    "a-slow-client-ends-the-fan-out": "invariant",
    "a-late-leaving-is-final": "but did not hear",
    "nobody-waits-until-it-is-heard": "invariant 5",
    "a-gap-is-nothing": "invariant 5",
    "replayed-items-are-forgotten": "invariant 8",
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_found(mutant):
    first = BEGINS.get(mutant, 0)
    with simulating(mutant):
        ran = map(run, range(first, first + WITHIN))
        found = next((each for each in ran if each.fault and SHOWS[mutant] in each.fault), None)
    assert found is not None
