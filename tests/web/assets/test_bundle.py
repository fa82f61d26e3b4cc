"""Bundle: pages link it as long as it is made from the sources that are there."""

import logging

import pytest
from flask import Flask

from notiway.web.assets import bundle
from notiway.web.assets.files import Assets


@pytest.fixture
def folder(tmp_path):
    """Static files with a bundle of them."""
    for part in (*bundle.SOURCES, bundle.FOLDER):
        for entry in bundle.ENTRIES:
            kind, name = entry.split("/", 1)
            place = tmp_path / part if part != bundle.FOLDER else tmp_path / part / kind
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(f"{part} {entry}")
    (tmp_path / bundle.MADE_FROM).write_text(bundle.sources(tmp_path) + "\n")
    return tmp_path


def test_each_file_that_pages_link_is_in_the_bundle(folder):
    found = bundle.bundled(folder)
    assert found["notiway/js/bell.js"] == "notiway/bundled/js/bell.js"
    assert len(found) == len(bundle.ENTRIES)
    assert all((folder / path).is_file() and (folder / part).is_file() for part, path in found.items())


@pytest.mark.parametrize("change", ["another", "renamed", "removed", "added"])
def test_sources_that_changed_are_linked_themselves_and_the_remedy_is_told(folder, caplog, change):
    script = folder / "notiway/js/bell.js"
    match change:
        case "another":
            script.write_text("other")
        case "renamed":
            script.rename(script.with_name("horn.js"))
        case "removed":
            script.unlink()
        case "added":
            script.with_name("horn.js").write_text("")
    with caplog.at_level(logging.WARNING):
        assert bundle.bundled(folder) == {}
    assert "make bundle" in caplog.text


def test_without_a_bundle_the_sources_are_linked_without_a_word(folder, caplog):
    (folder / bundle.MADE_FROM).unlink()
    assert bundle.bundled(folder) == {}
    assert not caplog.records


@pytest.mark.parametrize(
    ("debug", "path", "linked"),
    [
        (False, "notiway/js/bell.js", "notiway/bundled/js/bell.js"),
        (False, "notiway/css/font.css", "notiway/css/font.css"),
        (True, "notiway/js/bell.js", "notiway/js/bell.js"),
    ],
)
def test_what_is_not_in_the_bundle_and_whoever_debugs_gets_the_file_itself(folder, debug, path, linked):
    app = Flask("shop")
    app.debug = debug
    with app.app_context():
        assert Assets(folder, str).address(path).endswith(f"/{linked}")
