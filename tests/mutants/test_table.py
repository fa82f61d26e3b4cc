"""The table of mutants fits the code as it is: `make mutants` runs it."""

from pathlib import Path

import pytest

from mutants.table import MUTANTS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.name)
def test_a_mutant_changes_one_place_and_names_tests_that_there_are(mutant):
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1
    assert mutant.old != mutant.new
    assert all((ROOT / name).exists() for name in mutant.tests.split())


def test_no_two_mutants_have_one_name():
    assert len({each.name for each in MUTANTS}) == len(MUTANTS)
