"""The new-kind command writes what works as it stands, and never over something else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from notiway.cli.new_kind import _module_name

SHOP = """
from flask import Flask
from flask_login import LoginManager
from notiway import Notiway

app = Flask(__name__)
app.secret_key = "a secret of the tests, of more than 32 bytes"
LoginManager(app).user_loader(lambda user_id: None)
notiway = Notiway(app)
"""
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path):
    """Runs a command in a folder of its own that has the application `shop`."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "NOTIWAY_JOBS": "off"}

    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )

    return run


def new_kind(run, *words):
    return run("flask", "--app", "shop", "notiway", "new-kind", *words)


@pytest.mark.parametrize("is_package", [False, True])
def test_what_it_writes_works_as_it_stands(run, tmp_path, is_package):
    home = tmp_path / "shop" if is_package else tmp_path
    home.mkdir(exist_ok=True)
    (home / ("__init__.py" if is_package else "shop.py")).write_text(SHOP)
    done = new_kind(run, "order-shipped", "--label", 'The "big" one')
    assert done.returncode == 0, done.stderr
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    folder = "shop/" if is_package else ""
    assert written >= {
        f"{folder}kinds/order_shipped.py",
        f"{folder}templates/notiway/items/order-shipped.html",
        f"{folder}templates/notiway/toasts/order-shipped.html",
        "tests/test_order_shipped.py",
    }
    module = "shop.kinds.order_shipped" if is_package else "kinds.order_shipped"
    assert f"from {module} import declare" in done.stdout
    tested = run("pytest", "-q", "-p", "no:cacheprovider", "tests/test_order_shipped.py")
    assert tested.returncode == 0, tested.stdout
    assert "3 passed" in tested.stdout


def test_nothing_is_overwritten(run, tmp_path):
    (tmp_path / "shop.py").write_text(SHOP)
    mine = tmp_path / "kinds" / "order_shipped.py"
    mine.parent.mkdir()
    mine.write_text("mine")
    done = new_kind(run, "order-shipped")
    assert done.returncode == 0, done.stderr
    assert mine.read_text() == "mine"
    assert f"kept, since it is there\t{mine}" in done.stdout
    assert (tmp_path / "tests" / "test_order_shipped.py").exists()


@pytest.mark.parametrize("name", ["../evil", "two words", "Subscribe", "a/b"])
def test_a_name_that_no_kind_may_have_writes_nothing(run, tmp_path, name):
    (tmp_path / "shop.py").write_text(SHOP)
    done = new_kind(run, name)
    assert done.returncode == 1
    assert "cannot be the name of a kind" in done.stderr
    assert not (tmp_path / "kinds").exists()


@pytest.mark.parametrize(
    ("name", "module"), [("order-shipped", "order_shipped"), ("7.up", "kind_7_up"), ("import", "kind_import")]
)
def test_the_name_of_its_module(name, module):
    assert _module_name(name) == module
