"""The house: every module has its test file, none grows too long, and folders stay small enough to read."""

from pathlib import Path

import pytest

import notiway

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "notiway"
TESTS = ROOT / "tests"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
FOLDERS = sorted(path.parent for path in PACKAGE.rglob("__init__.py"))
LONGEST_MODULE = 250  # lines
FULLEST_FOLDER = 14  # modules
PUBLIC_NAMES = 12
SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager"}


def label(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("module", MODULES, ids=label)
def test_every_module_has_its_test_file(module):
    file = TESTS / module.relative_to(PACKAGE).parent / f"test_{module.stem}.py"
    assert file.is_file(), f"{label(file)} is missing"
    assert "def test_" in file.read_text(), f"{label(file)} tests nothing"


@pytest.mark.parametrize("module", MODULES, ids=label)
def test_no_module_is_too_long_to_be_read_at_once(module):
    assert len(module.read_text().splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("folder", FOLDERS, ids=label)
def test_no_folder_is_too_full_to_be_looked_over(folder):
    modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= FULLEST_FOLDER


@pytest.mark.parametrize("module", MODULES, ids=label)
def test_every_module_is_named_for_what_it_is_about(module):
    assert module.stem not in SAY_NOTHING


def test_the_library_has_a_dozen_public_names_at_most_and_all_are_there():
    assert len(notiway.__all__) <= PUBLIC_NAMES
    assert len(set(notiway.__all__)) == len(notiway.__all__)
    assert [name for name in notiway.__all__ if not hasattr(notiway, name)] == []


@pytest.mark.parametrize("file", sorted(TESTS.rglob("test_*.py")), ids=label)
def test_every_test_file_says_in_its_first_line_what_it_is_about(file):
    first = file.read_text().splitlines()[0]
    assert first.startswith('"""')
    assert first.rstrip('"').endswith(".")
