"""A live process beside an application whose own workers hold no sockets, with nothing but SQLite between them."""

import fcntl
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import celery_app
import other_processes
import pytest
import requests
from servers import redis_server
from serving import ROOT
from websockets.sync.client import connect

from server.raw import upgrade
from server.talk import Listener, new_visitor

WORKERS = 4
SOON_SECONDS = 1.0  # what is promised; a busy machine may take longer, and then the test still knows that it came
LATEST_SECONDS = 30.0


@pytest.fixture(scope="module")
def host(make_site):
    """The application under gunicorn's sync workers."""
    site = make_site(on="sqlite", NOTIWAY_JOBS="web", NOTIWAY_DRAIN_SECONDS=2).start("-k", "sync", "-w", str(WORKERS))
    yield site
    site.close()


@pytest.fixture(scope="module")
def live(host):
    """The same application, holding the sockets."""
    site = host.beside().hold()
    yield site
    site.close()


@contextmanager
def listening(live, visitor):
    """A page's socket, open at the live process."""
    with connect(live.socket_url, additional_headers={"Cookie": visitor.cookie}, origin=live.url) as socket:
        listener = Listener(socket)
        listener.hear_only("connected")
        yield listener


@pytest.fixture
def visitor(host):
    with new_visitor(host) as visitor:
        yield visitor


def test_what_any_worker_sends_rings_at_the_live_process_in_order(host, live, visitor):
    with listening(live, visitor) as listener:
        slowest = 0.0
        for number in range(3 * WORKERS):
            began = time.monotonic()
            visitor.post("/test/burst", json={"count": 1})
            data = listener.hear_only("notification")
            slowest = max(slowest, time.monotonic() - began)
            assert data["unreadCount"] == number + 1
    print(f"slowest of {3 * WORKERS}: {slowest:.2f} s")
    assert slowest < LATEST_SECONDS


def test_reading_on_a_page_is_told_to_the_sockets(host, live, visitor):
    with listening(live, visitor) as listener:
        visitor.post("/test/burst", json={"count": 1})
        given = listener.hear_only("notification")["id"]
        assert visitor.put(f"/notifications/{given}/read").ok
        assert listener.hear_only("markedAsRead")["notificationId"] == given


def test_signing_out_on_a_page_closes_the_sockets(host, live, visitor):
    with listening(live, visitor) as listener:
        visitor.post("/logout")
        assert listener.close_code() == 4009


def test_the_workers_of_the_application_refuse_sockets_and_go_on(host, visitor):
    for _ in range(2 * WORKERS):
        with upgrade(host, "", Cookie=visitor.cookie) as (status, _client):
            assert status == 503
    assert visitor.get("/notifications").ok


def test_a_server_without_sockets_refuses_them_and_rings_through_the_live_process(make_site):
    other = make_site(on="sqlite", NOTIWAY_JOBS="web")
    address = f"127.0.0.1:{other.port}"
    other._run("-m", "waitress", "--listen", address, other.application)
    live = other.beside().hold()
    try:
        with new_visitor(other) as visitor:
            with upgrade(other, "", Cookie=visitor.cookie) as (status, _client):
                assert status == 503
            assert visitor.get("/api/notifications/stream").status_code == 503
            with listening(live, visitor) as listener:
                visitor.post("/test/burst", json={"count": 1})
                listener.hear_only("notification")
    finally:
        live.close()
        other.close()


def test_exactly_one_process_holds_the_lock_of_the_file_and_it_is_the_live_one(host, live):
    lock = host.folder / "notiway.db.serving"
    with lock.open() as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        holders = {int(pid.name) for pid in Path("/proc").glob("[0-9]*") if holds(pid, lock)} - {os.getpid()}
    assert holders == {live.worker_pid()}


def holds(process, file):
    try:
        return any(each.resolve() == file for each in (process / "fd").iterdir())
    except OSError:
        return False  # it has gone, or is another user's


@pytest.fixture
def run(host, tmp_path):
    """Runs a program in a process of its own, with the settings of the application."""

    def begin(program, *words, **values):
        code = program.format(folder=tmp_path, **values)
        return subprocess.run(
            [sys.executable, *words, *(() if words else ("-c", code))],
            input=code,
            cwd=ROOT,
            env=host.environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=True,
        )

    return begin


@pytest.mark.parametrize(
    ("program", "words", "title"),
    [
        (other_processes.SCRIPT, (), "From a script"),
        (other_processes.SHELL, ("-m", "flask", "--app", "loud_app", "shell"), "From a shell"),
        (other_processes.HUEY, (), "From huey"),
    ],
    ids=["script", "flask shell", "huey"],
)
def test_what_another_process_sends_rings(live, visitor, run, program, words, title):
    with listening(live, visitor) as listener:
        run(program, *words, user=visitor.id)
        assert listener.hear_only("notification")["title"] == title


def test_what_an_rq_job_sends_rings(live, visitor, run):
    with redis_server() as url, listening(live, visitor) as listener:
        run(other_processes.RQ, user=visitor.id, redis=url)
        assert listener.hear_only("notification")["title"] == "From RQ"


def test_what_a_celery_task_sends_through_redis_rings(host, live, visitor, tmp_path):
    with (
        redis_server() as url,
        celery_app.worker(host, url, tmp_path) as celery,
        listening(live, visitor) as listener,
    ):
        celery.send_task("celery_app.ship", [visitor.id, "From Celery"])
        assert listener.hear_only("notification")["title"] == "From Celery"


def test_progress_that_another_process_reports_is_live_and_in_order(live, visitor, run):
    with listening(live, visitor) as listener:
        run(other_processes.PROGRESS, user=visitor.id)
        heard = listener.hear_all(lambda message: message["data"].get("body", {}).get("progress") == 100)
    percents = [each["data"]["body"]["progress"] for each in heard if each["event"] == "notification"]
    assert percents == sorted(percents)


def test_the_live_process_drains_and_what_was_sent_meanwhile_comes_with_the_next(host, live, visitor):
    with listening(live, visitor) as listener:
        assert live.stop() == 0
        assert listener.close_code() == 1012
    (sent,) = visitor.post("/test/burst", json={"count": 1}).json()["ids"]
    live.hold()
    with connect(
        f"{live.socket_url}?since=00000000-0000-7000-8000-000000000000",
        additional_headers={"Cookie": visitor.cookie},
        origin=live.url,
    ) as socket:
        listener = Listener(socket)
        assert listener.hear_only("connected")["unreadCount"] == 1
        assert listener.hear_only("notification")["id"] == sent


def test_the_application_may_be_loaded_before_its_workers_are_forked(make_site, host, live, visitor):
    """`--preload`, and uWSGI by itself: nothing that the parent opened is used by two processes."""
    preloaded = host.beside()
    preloaded.log = host.folder / "preloaded.log"
    preloaded.environment["PORT"] = str(preloaded.port)
    preloaded.start("-k", "sync", "-w", "2", "--preload")
    try:
        with listening(live, visitor) as listener:
            for _ in range(4):
                answer = requests.post(
                    f"{preloaded.url}/test/burst", json={"count": 1}, headers={"Cookie": visitor.cookie}, timeout=30
                )
                assert answer.ok, answer.text
                assert listener.hear_only("notification")["id"]
    finally:
        preloaded.close()
