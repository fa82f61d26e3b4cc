"""Version: the package, the code and the public name agree on it."""

import tomllib
from pathlib import Path

import notiway
from notiway.values.version import VERSION

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def test_there_is_one_version():
    assert tomllib.loads(PROJECT.read_text())["project"]["version"] == VERSION
    assert notiway.__version__ == VERSION
