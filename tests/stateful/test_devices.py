"""Whatever happens in whatever order: every device of a user shows what is in the database.

More runs, each time other ones: `pytest tests/stateful --hypothesis-profile=long`. What fails there is kept in
`.hypothesis`, so that the next run begins with it; the steps that lead to it are printed.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from stateful.machine import Devices
from stateful.mutants import FOUND_LATE, MUTANTS

STEPS = 30
IS_LONG = settings.get_current_profile_name() == "long"
BASE = settings(
    stateful_step_count=STEPS,
    deadline=None,
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
SHORT = settings(BASE, max_examples=60, derandomize=True)
LONG = settings(BASE, max_examples=20_000)
QUICK = settings(BASE, max_examples=300, derandomize=True, database=None, phases=[Phase.generate])


@pytest.fixture(scope="module", autouse=True)
def _prepared(tmp_path_factory):
    Devices.prepare(tmp_path_factory.mktemp("machine"))


@pytest.mark.timeout(0)
def test_every_device_equals_the_database_after_every_step():
    run_state_machine_as_test(Devices, settings=LONG if IS_LONG else SHORT)


@pytest.mark.parametrize("mutant", MUTANTS + FOUND_LATE * IS_LONG, ids=lambda each: each.__name__)
def test_the_machine_finds(mutant):
    with pytest.MonkeyPatch.context() as patch, pytest.raises(AssertionError):
        mutant(patch)
        run_state_machine_as_test(Devices, settings=QUICK)
