"""Folders: inside an installed package, beside it in the repository."""

import pytest

from notiway import folders
from notiway.folders import resources


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A repository whose library is `notiway/`, with the host inside it."""
    (tmp_path / "notiway" / "host").mkdir(parents=True)
    monkeypatch.setattr(folders, "PACKAGE", tmp_path / "notiway")
    return tmp_path


def test_in_the_repository_they_lie_at_its_top(root):
    assert resources("templates", root / "notiway") == root / "templates"
    assert resources("templates", root / "notiway" / "host") == root / "templates"


def test_installed_each_package_has_its_own(root):
    for package in (root / "notiway", root / "notiway" / "host"):
        (package / "static").mkdir()
        assert resources("static", package) == package / "static"


def test_a_file_of_that_name_is_no_folder(root):
    (root / "notiway" / "static").write_text("")
    assert resources("static", root / "notiway") == root / "static"


@pytest.mark.parametrize("name", ["templates", "static", "migrations"])
def test_those_of_this_library_are_there(name):
    assert (resources(name) / "notiway").is_dir()
