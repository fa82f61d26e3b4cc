"""The bundle that is committed is what `make bundle` makes of the sources."""

import subprocess
import sys
from pathlib import Path

import pytest

from notiway.web.assets import bundle

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The bundle, made once more."""
    folder = tmp_path_factory.mktemp("static")
    subprocess.run([sys.executable, "bin/bundle", str(folder)], cwd=ROOT, check=True, timeout=120)
    return folder


def test_it_is_the_one_that_is_made_now(made):
    ours, theirs = ({path.relative_to(at): path.read_bytes() for path in files(at)} for at in (STATIC, made))
    assert [str(path) for path in theirs if ours.get(path) != theirs[path]] == [], "run `make bundle`"
    assert ours.keys() == theirs.keys()
    assert len(theirs) == len(bundle.ENTRIES) + 1


def test_pages_link_it():
    assert len(bundle.bundled(STATIC)) == len(bundle.ENTRIES)


def test_a_page_gets_no_part_of_the_bell_twice(made):
    """The staff page's script has what it needs of the bell from the bell's file."""
    script = (made / bundle.FOLDER / "js/staff/form.js").read_text()
    assert 'from"../bell.js"' in script
    assert "notiwayReady" not in script
    assert "notiwayReady" in (made / bundle.FOLDER / "js/bell.js").read_text()


def files(static: Path) -> list[Path]:
    return [path for path in (static / bundle.FOLDER).rglob("*") if path.is_file()]
