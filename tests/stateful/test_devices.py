"""Whatever happens in whatever order: every device of a user shows what is in the database."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from stateful.machine import Devices

RUNS = settings(max_examples=150, stateful_step_count=30, deadline=None, derandomize=True, print_blob=True)


@pytest.fixture(scope="module", autouse=True)
def _prepared(tmp_path_factory):
    Devices.prepare(tmp_path_factory.mktemp("machine"))


def test_every_device_equals_the_database_after_every_step():
    run_state_machine_as_test(Devices, settings=RUNS)
