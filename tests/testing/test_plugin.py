"""Plugin: the tests that docs/how-to/testing.md shows pass as printed, with pytest and with unittest."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from foreign.tutorial import ROOT, blocks

PLUGIN = "notiway.testing.plugin"
RUNS = {"pytest": ["pytest", "-q", "-p", PLUGIN, "-W", "error"], "unittest": ["unittest", "test_shop"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page."""
    made = tmp_path_factory.mktemp("shop")
    for block in blocks(ROOT / "docs" / "how-to" / "testing.md"):
        if block.title is not None:
            (made / block.title).write_text(block.text)
    (made / "pytest.ini").write_text("[pytest]\n")
    return made


@pytest.mark.parametrize(("runner", "says"), [("pytest", "6 passed"), ("unittest", "OK")])
def test_the_tests_of_the_page_pass(folder: Path, runner: str, says: str) -> None:
    # The other plugins of this repository's tests take longer to load than these tests to run.
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *RUNS[runner]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert says in done.stdout + done.stderr


def test_pytest_finds_it_and_loads_nothing_of_notiway_with_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"notiway": PLUGIN}
    code = f"import sys, {PLUGIN}; print(*sorted(name for name in sys.modules if name.startswith('notiway')))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(loaded.stdout.split()) <= {
        "notiway",
        "notiway.testing",
        PLUGIN,
        "notiway.values",
        "notiway.values.version",
    }
