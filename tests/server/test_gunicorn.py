"""How the real server starts, refuses to start, hides secrets and drains."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests
from servers import wait_until
from serving import ROOT, Site

from notiway.ops.probe import Probe, Refused

pytestmark = pytest.mark.server
DRAIN_SECONDS = 2


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """A folder with a database and the demo users in it, which all tests here share."""
    folder = tmp_path_factory.mktemp("gunicorn")
    Site(folder).prepare()
    return folder


@pytest.fixture
def site(prepared):
    (prepared / "server.log").unlink(missing_ok=True)
    site = Site(prepared, NOTIWAY_JOBS="web", NOTIWAY_DRAIN_SECONDS=DRAIN_SECONDS)
    yield site
    site.close()


@pytest.fixture
def open_sockets(site):
    """Opens sockets of the demo user; closes them after the test."""
    opened = []

    def connect(count: int) -> list[Probe]:
        headers = {"Cookie": site.sign_in().cookie, "Origin": site.url}
        for _ in range(count):
            opened.append(Probe(f"{site.url}/ws/notifications", headers, 20))
            assert json.loads(opened[-1].receive())["event"] == "connected"
        return opened

    yield connect
    for probe in opened:
        probe.close()


def ended_by_itself(site) -> bool:
    """Whether the worker ended in time: gunicorn kills one that takes 5 s more than the window, which logs nothing."""
    return "Worker exiting" in site.log.read_text()


def close_code(probe: Probe) -> int:
    with probe:
        try:
            while True:
                probe.receive()
        except Refused as refusal:
            return refusal.code


def refused_start(site: Site, *options: str) -> tuple[int, str]:
    """Start gunicorn, which is expected to end by itself; its exit code and what it said."""
    command = [sys.executable, "-m", "gunicorn", *options, "app:app"]
    done = subprocess.run(
        command, cwd=ROOT, env=site.environment, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("environ", "options"),
    [({"WEB_CONCURRENCY": "2"}, ()), ({}, ("--workers", "3")), ({"GUNICORN_CMD_ARGS": "--workers=2"}, ())],
)
def test_several_workers_with_the_memory_broker_are_refused_with_what_to_set(site, environ, options):
    site.environment.update(environ)
    code, said = refused_start(site, *options)
    assert code == 4
    assert "refuses to start" in said
    assert "WEB_CONCURRENCY=1" in said
    assert "NOTIWAY_BROKER_URL=redis://" in said


@pytest.mark.parametrize("number", [signal.SIGTTIN, signal.SIGUSR2])
def test_a_second_worker_by_signal_is_refused_too(site, number):
    site.start()
    site.process.send_signal(number)
    wait_until(lambda: f"{number.name} is ignored" in site.log.read_text())
    assert site.log.read_text().count("Booting worker") == 1
    assert requests.get(f"{site.url}/healthz", timeout=60).ok


def test_a_reload_says_goodbye_before_the_next_worker_begins(site, open_sockets):
    """Two workers with the memory broker, even for a moment, would each deliver to their own clients only."""
    site.start()
    (probe,) = open_sockets(1)
    first = site.worker_pid()
    site.process.send_signal(signal.SIGHUP)
    assert close_code(probe) == 1012
    wait_until(lambda: site.log.read_text().count("Booting worker") == 2)
    said = site.log.read_text()
    assert said.index(f"Worker exiting (pid: {first})") < said.rindex("Booting worker")
    wait_until(site._ready)
    assert site.worker_pid() != first


def test_preload_is_refused(site):
    code, said = refused_start(site, "--preload")
    assert code != 0
    assert "start gunicorn without --preload" in said


def test_production_without_a_secret_is_refused_with_what_to_set(site):
    site.environment.update(NOTIWAY_ENV="production")
    del site.environment["SECRET_KEY"]
    code, said = refused_start(site)
    assert code != 0
    assert "does not start in production without SECRET_KEY" in said
    assert "token_hex" in said


def test_production_logs_are_json_lines_without_query_strings(site):
    site.environment.update(NOTIWAY_ENV="production")
    site.start("--bind", f"127.0.0.1:{site.port}")
    assert close_code(Probe(f"{site.url}/ws/notifications?access_token=a-secret-token", {}, 20)) == 4001
    assert requests.get(f"{site.url}/healthz?access_token=a-secret-token", timeout=60).ok
    site.stop()
    lines = [json.loads(line) for line in site.log.read_text().splitlines()]
    assert any('"GET /healthz" 200' in line["message"] for line in lines)
    assert "a-secret-token" not in site.log.read_text()


def test_sigterm_closes_every_socket_with_1012_and_ends_within_the_drain_window(site, open_sockets):
    site.start()
    probes = open_sockets(20)
    codes = []
    readers = [threading.Thread(target=lambda each=each: codes.append(close_code(each))) for each in probes]
    for reader in readers:
        reader.start()
    assert site.stop() == 0
    assert ended_by_itself(site)
    for reader in readers:
        reader.join(10)
    assert codes == [1012] * 20


def test_clients_that_do_not_answer_the_close_hold_the_end_up_no_longer_than_the_window(site, open_sockets):
    site.start()
    probes = open_sockets(5)
    assert site.stop() == 0
    assert ended_by_itself(site)
    assert [close_code(probe) for probe in probes] == [1012] * 5


def test_ctrl_c_ends_at_once_and_still_says_1012(site, open_sockets):
    site.environment["NOTIWAY_DRAIN_SECONDS"] = "600"
    site.start()
    probes = open_sockets(2)
    site.process.send_signal(signal.SIGINT)
    site.process.wait(120)
    assert [close_code(probe) for probe in probes] == [1012] * 2


def test_what_a_command_sends_rings_in_the_running_server(site, open_sockets):
    site.start()
    with open_sockets(1)[0] as probe:
        site.command("send", "demo@example.com", "--title", "From the shell")
        event = json.loads(probe.receive())
        while event["event"] == "pong":
            event = json.loads(probe.receive())
    assert event["event"] == "notification"
    assert "From the shell" in json.dumps(event)


def test_deactivating_a_user_closes_what_they_have_open(site):
    site.start()
    site.command("user", "add", "leaver@example.com", "--password", "unusual words like zwieback")
    cookie = site.sign_in("leaver@example.com", "unusual words like zwieback").cookie
    probe = Probe(f"{site.url}/ws/notifications", {"Cookie": cookie, "Origin": site.url}, 20)
    site.command("user", "deactivate", "leaver@example.com")
    assert close_code(probe) == 4009


def test_the_doctor_finds_nothing_wrong_with_a_running_server(site):
    site.start()
    said = site.command("doctor", "--url", site.url)
    assert "FAULT" not in said
    names = "database migrations broker workers nodes jobs secret files server origin websocket"
    assert [line.split()[1] for line in said.splitlines()] == names.split()


def test_who_came_over_tls_is_believed_of_declared_proxies_only(site):
    forwarded = {"X-Forwarded-Proto": "https"}
    site.start()
    answer = requests.get(f"{site.url}/login", headers=forwarded, timeout=10)
    assert answer.ok
    assert "Strict-Transport-Security" not in answer.headers
    assert "Secure" not in answer.headers["Set-Cookie"]
    site.stop()
    site.environment["NOTIWAY_TRUSTED_PROXIES"] = "1"
    answer = requests.get(f"{site.start().url}/login", headers=forwarded, timeout=10)
    assert "Strict-Transport-Security" in answer.headers
    assert "Secure" in answer.headers["Set-Cookie"]


def test_a_second_server_on_the_same_database_is_refused_and_a_restart_is_not(site):
    site.start()
    second = Site(site.folder, NOTIWAY_DRAIN_SECONDS=0)
    code, said = refused_start(second, "-c", str(ROOT / "gunicorn.conf.py"))
    assert code != 0
    assert "another process serves" in said
    assert requests.get(f"{site.url}/readyz", timeout=10).ok
    site.kill()
    site.start()
    site.command("user", "list")
