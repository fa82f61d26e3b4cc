"""The live command goes on as gunicorn, with the same application and the package's settings."""

import os
import sys

import pytest

from notiway.cli import live

MODULE = "notiway.cli.live:application()"


@pytest.fixture
def started(monkeypatch):
    """What the process would go on as."""
    calls = []
    monkeypatch.setattr(live.os, "execv", lambda program, words: calls.append((program, words)))
    for name in ("FLASK_APP", "NOTIWAY_LIVE"):  # what the command sets is taken back after the test
        monkeypatch.setenv(name, "here")
    monkeypatch.delenv("PORT", raising=False)
    return calls


@pytest.fixture
def command(notiway, app, monkeypatch):
    """Runs the command as `flask --app app` does."""
    monkeypatch.setattr(live, "_application_path", lambda: "shop:create_app('x')")
    return lambda *words: notiway("live", *words)


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ((), ["--bind", "127.0.0.1:5001"]),
        (("--port", "7000"), ["--bind", "127.0.0.1:7000"]),
        (("--bind", "unix:/run/live.sock"), ["--bind", "unix:/run/live.sock"]),
    ],
)
def test_it_becomes_gunicorn_with_the_same_application(started, command, words, address):
    result = command(*words)
    assert result.exit_code == 0, result.output
    arguments = ["-m", "gunicorn", "-c", "python:notiway.ops.serving", "--workers", "1", *address, MODULE]
    assert started == [(sys.executable, [sys.executable, *arguments])]
    assert os.environ["FLASK_APP"] == "shop:create_app('x')"
    assert os.environ["NOTIWAY_LIVE"] == "here"


def test_on_a_platform_that_sets_the_port_the_settings_choose_the_address(started, command, monkeypatch):
    monkeypatch.setenv("PORT", "8080")
    command("--workers", "3")
    assert started[0][1][3:] == ["-c", "python:notiway.ops.serving", "--workers", "3", MODULE]


def test_two_addresses_are_refused(started, command):
    assert "not both" in command("--bind", "127.0.0.1:1", "--port", "2").output
    assert started == []


def test_an_application_that_says_that_others_hold_the_sockets_is_told_where_to_say_so(started, command, app):
    app.config["NOTIWAY_LIVE"] = "elsewhere"
    result = command()
    assert result.exit_code == 1
    assert "environment" in result.output
    assert started == []


def test_without_the_server_it_says_what_to_install(started, command, monkeypatch):
    monkeypatch.setattr(live.importlib.util, "find_spec", lambda name: None)
    assert "notiway[server]" in command().output
    assert started == []


def test_an_application_that_only_its_own_command_line_can_make_is_refused_with_what_to_run(started, notiway):
    result = notiway("live")  # the test's runner has made the application by itself
    assert result.exit_code == 1
    assert "gunicorn -c python:notiway.ops.serving" in result.output
    assert started == []


def test_the_application_is_the_one_that_flask_finds(monkeypatch, tmp_path):
    (tmp_path / "tiny_shop.py").write_text("from flask import Flask\ndef make(name):\n    return Flask(name)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setenv("FLASK_APP", "tiny_shop:make('tea')")
    assert live.application().name == "tea"
