"""Assets: an address names one content, which may be kept for ever; what may change is asked for anew."""

import gzip
from pathlib import Path

import pytest
from flask import Blueprint, Flask

from notiway.web.assets.files import FOREVER, Assets

SCRIPT = b'import "../b.js";\n' * 200


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "a.js").write_bytes(SCRIPT)
    (tmp_path / "b.js").write_bytes(b"let b;")
    (tmp_path / "c.png").write_bytes(bytes(5_000))
    (tmp_path.parent / "secret.txt").write_text("secret")
    return tmp_path


@pytest.fixture
def app(folder):
    app = Flask("shop", static_folder=None)
    app.files = mounted(app, folder)
    return app


def mounted(app, folder):
    blueprint = Blueprint("notiway", __name__)
    files = Assets(Path(folder), lambda path: f"/prefix{path}")
    files.register(blueprint)
    app.register_blueprint(blueprint, url_prefix="/prefix")
    return files


def get(app, path, **headers):
    with app.test_client().get(
        path, headers={name.replace("_", "-"): each for name, each in headers.items()}
    ) as answer:
        answer.get_data()
    return answer


def address(app, path):
    with app.app_context():
        return app.files.address(path)


def test_a_file_is_kept_for_ever_at_the_address_of_its_content(app):
    response = get(app, address(app, "js/a.js"))
    assert (response.status_code, response.data) == (200, SCRIPT)
    assert response.headers["Cache-Control"] == FOREVER
    assert response.mimetype == "text/javascript"
    assert "Cookie" not in response.vary
    assert "Set-Cookie" not in response.headers


def test_the_version_is_in_the_folder_so_relative_imports_keep_it(app):
    assert address(app, "js/a.js").removesuffix("js/a.js") == address(app, "b.js").removesuffix("b.js")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "b.js").write_bytes(b"let c;"),
        lambda folder: (folder / "b.js").rename(folder / "d.js"),
        lambda folder: (folder / "b.js").unlink(),
        lambda folder: (folder / "e.js").write_bytes(b""),
    ],
    ids=["changed", "renamed", "removed", "added"],
)
def test_another_content_has_another_address(app, folder, change):
    before = address(app, "js/a.js")
    change(folder)
    again = Flask("shop", static_folder=None)
    again.files = mounted(again, folder)
    assert address(again, "js/a.js") != before


@pytest.mark.parametrize("path", ["/prefix/notiway/static/js/a.js", "/prefix/notiway/static/v-000000000000/js/a.js"])
def test_without_the_version_or_with_anothers_nothing_is_kept_unasked(app, path):
    response = get(app, path)
    assert (response.status_code, response.data, response.headers["Cache-Control"]) == (200, SCRIPT, "no-cache")
    assert get(app, path, If_None_Match=response.headers["ETag"]).status_code == 304


def test_it_is_compressed_once_for_those_who_take_it(app, monkeypatch):
    compressed = []
    plain = gzip.compress
    monkeypatch.setattr(gzip, "compress", lambda data, **how: compressed.append(data) or plain(data, **how))
    path = address(app, "js/a.js")
    for _ in range(2):
        response = get(app, path, Accept_Encoding="br, gzip")
        assert response.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(response.data) == SCRIPT
        assert response.content_length < len(SCRIPT) / 10
        assert "Accept-Encoding" in response.vary
    assert compressed == [SCRIPT]
    assert "Content-Encoding" not in get(app, path).headers


@pytest.mark.parametrize("path", ["b.js", "c.png"])
def test_small_files_and_pictures_are_not_compressed(app, path):
    response = get(app, address(app, path), Accept_Encoding="gzip")
    assert "Content-Encoding" not in response.headers
    assert response.headers["Cache-Control"] == FOREVER


@pytest.mark.parametrize(
    "path", ["../secret.txt", "js/../../secret.txt", "js", "none.js", "js/a.js/x", "%2e%2e/secret.txt"]
)
def test_what_is_no_file_of_the_folder_is_not_found(app, path):
    for start in (address(app, ""), "/prefix/notiway/static/"):
        response = get(app, f"{start}{path}", Accept_Encoding="gzip")
        assert response.status_code == 404
        assert b"secret" not in response.data


def test_while_files_are_worked_on_they_are_asked_for_anew(app, folder):
    app.debug = True
    path = address(app, "b.js")
    assert "v-" not in path
    (folder / "b.js").write_bytes(b"let changed;")
    assert get(app, path).data == b"let changed;"
