"""Serving: gunicorn's settings come with the package, and loading them loads nothing that must be patched first."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from notiway.ops import serving

LOADED = """
import sys
before = set(sys.modules)
import notiway.ops.serving
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))
print(*sorted(name for name in sys.modules if name.startswith("notiway.")))
"""


def test_its_settings_are_read_without_the_application_or_any_library():
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    libraries, modules = done.stdout.splitlines()
    assert libraries == "notiway"
    assert modules == (
        "notiway.live notiway.live.shared notiway.live.shared.goodbyes notiway.ops notiway.ops.serving"
        " notiway.values notiway.values.broker_url notiway.values.version"
    )


def test_the_file_that_gunicorn_finds_by_itself_says_the_same():
    found = {}
    exec("from notiway.ops.serving import *", found)
    for name in ("bind", "worker_class", "on_starting", "post_worker_init", "worker_exit", "pre_request"):
        assert found[name] is getattr(serving, name)


class Server:
    """gunicorn's arbiter, as far as `on_starting` looks at it."""

    def __init__(self, worker_class, workers):
        self.cfg = SimpleNamespace(worker_class_str=worker_class, workers=workers)
        self.said = []
        self.log = SimpleNamespace(error=lambda text, *_: self.said.append(text))


@pytest.mark.parametrize(
    ("worker_class", "workers", "environ", "starts"),
    [
        ("gevent", 1, {}, True),
        ("gevent", 2, {}, False),
        ("sync", 4, {}, True),
        ("gthread", 4, {}, True),
        ("gevent", 4, {"NOTIWAY_LIVE": "elsewhere"}, True),
        ("gevent", 4, {"NOTIWAY_LIVE_URL": "https://live.example.com"}, True),
        ("gevent", 4, {"NOTIWAY_LIVE_URL": "https://live.example.com", "NOTIWAY_LIVE": "here"}, False),
    ],
)
def test_several_workers_start_unless_each_would_hold_sockets(monkeypatch, worker_class, workers, environ, starts):
    monkeypatch.setattr(serving, "_allow_open_files", lambda: None)
    for name in ("NOTIWAY_LIVE", "NOTIWAY_LIVE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    server = Server(worker_class, workers)
    if starts:
        serving.on_starting(server)
        assert server.said == []
        return
    with pytest.raises(SystemExit) as ended:
        serving.on_starting(server)
    assert ended.value.code == serving.REFUSED
    assert "notiway live" in server.said[0]


def test_only_workers_that_hold_sockets_are_kept_from_becoming_two():
    kept, free = Server("gevent", 1), Server("sync", 2)
    for server in (kept, free):
        serving.on_starting(server)
    assert hasattr(kept, "handle_ttin")
    assert not hasattr(free, "handle_ttin")
