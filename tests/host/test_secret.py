"""The secret key: made once in development, and never by itself in production."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from notiway.host.app import create_app
from notiway.host.secret import development_wanted, find_secret
from notiway.values.errors import ConfigError


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"NOTIWAY_ENV": "development"}, True),
        ({"NOTIWAY_ENV": "production", "FLASK_DEBUG": "1", "FLASK_RUN_FROM_CLI": "true"}, False),
        ({"FLASK_DEBUG": "1"}, True),
        ({"FLASK_DEBUG": "0"}, False),
        ({"FLASK_RUN_FROM_CLI": "true"}, True),
    ],
)
def test_development_is_what_the_environment_says(environ, wanted):
    assert development_wanted(environ) is wanted


def test_production_does_not_start_without_a_secret_key_and_says_what_to_set(monkeypatch, tmp_path):
    for name in ("SECRET_KEY", "NOTIWAY_ENV", "FLASK_DEBUG", "FLASK_RUN_FROM_CLI"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match=r"SECRET_KEY.*secrets\.token_hex"):
        create_app({"NOTIWAY_DATABASE_URL": f"sqlite:///{tmp_path}/never.db"})


def test_a_given_key_is_taken_and_nothing_is_written(tmp_path):
    assert find_secret("given", tmp_path, development=True) == "given"
    assert list(tmp_path.iterdir()) == []


def test_in_development_a_key_is_made_once_and_kept_for_its_owner_only(tmp_path):
    first = find_secret(None, tmp_path / "instance", development=True)
    assert find_secret(None, tmp_path / "instance", development=True) == first
    assert len(first) >= 64
    (file,) = (tmp_path / "instance").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_many_processes_that_start_at_once_agree_on_one_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: find_secret(None, tmp_path, development=True), range(32)))
    assert len(set(keys)) == 1


@pytest.mark.parametrize("weak", ["x", "a" * 31, b"a" * 31, "ä" * 15])
def test_production_does_not_start_with_a_weak_secret_key(tmp_path, weak):
    with pytest.raises(ConfigError, match=r"SECRET_KEY.*32 bytes"):
        find_secret(weak, tmp_path, development=False)
    assert find_secret(weak, tmp_path, development=True) == weak


@pytest.mark.parametrize("good", ["a" * 32, b"a" * 32, "ä" * 16])
def test_thirty_two_bytes_are_enough(tmp_path, good):
    assert find_secret(good, tmp_path, development=False) == good


def test_a_weak_secret_key_stops_the_application_unless_it_is_a_test(tmp_path):
    settings = {"SECRET_KEY": "x", "NOTIWAY_DATABASE_URL": f"sqlite:///{tmp_path}/n.db", "NOTIWAY_ENV": "production"}
    with pytest.raises(ConfigError, match="SECRET_KEY"):
        create_app(settings)
