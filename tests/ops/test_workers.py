"""Workers: with the memory broker several of them could not hear each other."""

import pytest

from notiway.ops.workers import check_workers, declared_workers
from notiway.values.config import Config
from notiway.values.errors import ConfigError

COUNTS = [
    ([], {}, 1),
    (["gunicorn", "app:app"], {}, 1),
    (["gunicorn", "-w", "4", "app:app"], {}, 4),
    (["gunicorn", "-w4", "app:app"], {}, 4),
    (["gunicorn", "--workers", "4", "app:app"], {}, 4),
    (["gunicorn", "--workers=4", "app:app"], {}, 4),
    (["/venv/bin/gunicorn", "app:app"], {"WEB_CONCURRENCY": "2"}, 2),
    (["/lib/gunicorn/__main__.py", "-w", "3"], {}, 3),
    (["gunicorn", "app:app"], {"GUNICORN_CMD_ARGS": "--workers=3 --bind '[::]:80'"}, 3),
    (["gunicorn", "-w", "2"], {"GUNICORN_CMD_ARGS": "-w 3", "WEB_CONCURRENCY": "4"}, 2),
    (["gunicorn", "-w", "1"], {"WEB_CONCURRENCY": "4"}, 1),
    (["gunicorn", "-w"], {}, 1),
    (["gunicorn", "-w", "many"], {}, 1),
    (["flask", "run"], {"WEB_CONCURRENCY": "4"}, 1),
    (["pytest"], {"GUNICORN_CMD_ARGS": "-w 3"}, 1),
]


@pytest.mark.parametrize(("arguments", "environ", "count"), COUNTS)
def test_the_number_of_workers_is_read_as_gunicorn_reads_it(arguments, environ, count):
    assert declared_workers(arguments, environ) == count


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (["gunicorn", "-w", "2", "-k", "gevent"], {}),
        (["gunicorn"], {"WEB_CONCURRENCY": "2", "GUNICORN_CMD_ARGS": "--worker-class=gevent"}),
    ],
)
def test_several_workers_with_the_memory_broker_are_refused_with_what_to_set(arguments, environ):
    with pytest.raises(ConfigError) as caught:
        check_workers(Config.load({}, environ={}), arguments, environ)
    assert [fault.path for fault in caught.value.faults] == ["WEB_CONCURRENCY"]
    assert "--workers 1" in str(caught.value)
    assert "notiway live" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ["-w", "4"]),
        ({}, ["-w", "4", "-k", "gthread"]),
        ({"NOTIWAY_LIVE": "elsewhere"}, ["-w", "4", "-k", "gevent"]),
        ({"NOTIWAY_LIVE_URL": "https://live.example.com"}, ["-w", "4", "-k", "gevent"]),
    ],
)
def test_workers_that_hold_no_sockets_may_be_many(settings, words):
    check_workers(Config.load(settings, environ={}), ["gunicorn", *words], {})


def test_several_workers_with_a_shared_broker_are_welcome():
    config = Config.load({"NOTIWAY_BROKER_URL": "redis://host"}, environ={})
    check_workers(config, ["gunicorn", "-w", "4", "-k", "gevent"], {})


def test_one_worker_with_the_memory_broker_is_welcome():
    check_workers(Config.load({}, environ={}), ["gunicorn", "-w", "1"], {"WEB_CONCURRENCY": "2"})


def test_the_application_itself_refuses_to_start(make_app, monkeypatch):
    monkeypatch.setattr("sys.argv", ["gunicorn", "-k", "gevent", "app:app"])
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    with pytest.raises(ConfigError, match="2 workers"):
        make_app()
