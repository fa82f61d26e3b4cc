"""SIGTERM drains; several workers that could not hear each other never start, in whatever application."""

import selectors
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest
from servers import wait_until
from serving import ROOT

from server.raw import upgrade
from server.talk import is_open_elsewhere, listen

DRAIN_SECONDS = 4
CROWD = 300  # closes are spread over 5 ms for each connection
FOREIGN_APP = """
from flask import Flask
from flask_login import LoginManager
from notiway import Notiway

app = Flask(__name__)
app.secret_key = "a secret of its own"
LoginManager(app)
Notiway(app)
"""


def test_sigterm_spreads_the_closes_and_says_that_it_is_not_ready(start):
    site = start(NOTIWAY_DRAIN_SECONDS=DRAIN_SECONDS, NOTIWAY_MAX_CONNECTIONS_PER_USER=CROWD)
    with ExitStack() as doors, selectors.DefaultSelector() as selector, site.sign_in() as demo:
        clients = [doors.enter_context(upgrade(site, Cookie=demo.cookie))[1] for _ in range(CROWD)]
        is_open_elsewhere(site, CROWD)
        for client in clients:
            assert '"connected"' in client.text()
            selector.register(client.stream, selectors.EVENT_READ, client)
        assert demo.get("/readyz").ok
        site.process.terminate()
        # New connections end soon after the signal, so this is asked on one that is open: as a proxy does.
        answers = []
        wait_until(lambda: answers.append(demo.get("/readyz")) or answers[-1].status_code == 503)
        assert "draining" in answers[-1].json()["reasons"]
        moments = []
        while len(moments) < CROWD:
            for key, _ in selector.select(DRAIN_SECONDS):
                assert key.data.close_code() == 1012
                moments.append(time.monotonic())
                selector.unregister(key.fileobj)
                key.fileobj.close()
        assert site.process.wait(60) == 0
    assert moments[-1] - moments[0] > CROWD * 0.005 / 2, "spread, so that not all come back at once"
    assert "Worker exiting" in site.log.read_text(), "gunicorn kills a worker that is not done 5 s after the window"


def test_a_notification_sent_while_draining_is_there_after_the_restart(start):
    site = start(NOTIWAY_DRAIN_SECONDS=DRAIN_SECONDS)
    with site.sign_in() as demo:
        with listen(demo) as tab:
            before = demo.notify("Before")["id"]
            tab.hear_only("notification")
            site.process.terminate()
            sent = demo.notify("In the last moment")["id"]
            heard, code = tab.read_to_end()
        assert code == 1012
        assert site.process.wait(DRAIN_SECONDS + 5) == 0
        site.start()
        heard = [message["data"]["id"] for message in heard if message["event"] == "notification"]
        with listen(demo, since=heard[-1] if heard else before) as tab:
            if not heard:
                assert tab.hear_news([before], 1) == [sent]
            assert tab.connected["unreadCount"] == 2
            tab.say("ping")
            tab.hear_all(until=lambda message: message["event"] == "pong")  # a resume may repeat what was heard


WAYS_TO_ASK = {
    "on the command line": (["-w", "2"], {}, ""),
    "in the environment": ([], {"WEB_CONCURRENCY": "2"}, ""),
    "in gunicorn's environment": ([], {"GUNICORN_CMD_ARGS": "--workers=2"}, ""),
    "in a file": ([], {}, "workers = 2"),
    "in a file, loaded before the fork": ([], {}, "workers = 2\npreload_app = True"),
}


@pytest.mark.parametrize(("options", "environ", "settings"), WAYS_TO_ASK.values(), ids=WAYS_TO_ASK)
def test_a_foreign_application_with_two_workers_refuses_to_start(make_site, tmp_path, options, environ, settings):
    (tmp_path / "foreign_app.py").write_text(FOREIGN_APP)
    (tmp_path / "gunicorn.conf.py").write_text(settings)
    environment = make_site().environment | environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    port = environment.pop("PORT")
    command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-b", f"127.0.0.1:{port}", *options, "foreign_app:app"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "refuses to start 2 workers" in said
    assert "WEB_CONCURRENCY: set it to 1" in said


@pytest.mark.parametrize(("options", "settings"), [(["--preload"], ""), ([], "preload_app = True")])
def test_an_application_that_gevent_would_patch_too_late_refuses_to_start(make_site, tmp_path, options, settings):
    (tmp_path / "foreign_app.py").write_text(FOREIGN_APP)
    (tmp_path / "gunicorn.conf.py").write_text(settings)
    environment = make_site().environment | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    port = environment.pop("PORT")
    command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-b", f"127.0.0.1:{port}", *options, "foreign_app:app"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "without --preload" in done.stdout + done.stderr
