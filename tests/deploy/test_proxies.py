"""nginx, Caddy and HAProxy as deploy/ sets them up: TLS, HTTP/2, the live paths, no sticky sessions, restarts."""

from __future__ import annotations

import json
import ssl
import subprocess
from contextlib import ExitStack, contextmanager

import pytest
import requests
from servers import redis_server, wait_until
from serving import Site, Visitor
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from deploy.proxies import KINDS, Ports, certificate, proxy
from deploy.tunnel import tunnel

pytestmark = pytest.mark.server
SOCKETS = 6


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    """The application under sync workers, and two live processes, with a Redis between them."""
    folder = tmp_path_factory.mktemp("deployed")
    with redis_server() as url, ExitStack() as stack:
        settings = {"NOTIWAY_BROKER_URL": url, "NOTIWAY_TRUSTED_PROXIES": 1, "NOTIWAY_DRAIN_SECONDS": 1}
        host = Site(folder, **settings).prepare()
        lives = [host.beside(), host.beside()]
        for number, live in enumerate(lives):
            live.log = folder / f"live{number}.log"
        for site in (host, *lives):
            stack.callback(site.close)
        host.start("-k", "sync", "-w", "2")
        yield host, *(live.hold() for live in lives)


@pytest.fixture(scope="module", params=KINDS)
def front(request, sites, tmp_path_factory):
    """A proxy before them."""
    folder = tmp_path_factory.mktemp(request.param)
    trusted = certificate(folder)
    with pytest.MonkeyPatch.context() as patch, proxy(request.param, folder, Ports(*(s.port for s in sites))) as made:
        patch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
        wait_until(lambda: answers(made))
        yield made


def answers(front):
    try:
        return requests.get(f"{front.url}/readyz", timeout=5).ok
    except requests.RequestException:
        return False


@pytest.fixture
def visitor(front):
    with Visitor(front, "demo@example.com", "notiway") as visitor:
        yield visitor


@contextmanager
def reach(front, visitor, path):
    """A WebSocket of a signed-in visitor through the proxy."""
    trusted = ssl.create_default_context(cafile=str(front.log.parent / "site.crt"))
    options = {"origin": front.url, "additional_headers": {"Cookie": visitor.cookie}, "open_timeout": 60}
    url = f"ws://localhost:{front.port}{path}"  # plain to the client, for the tunnel encrypts it
    with tunnel(front.port, trusted) as line, connect(url, sock=line, close_timeout=1, **options) as socket:
        yield socket


@contextmanager
def dial(front, visitor, query=""):
    """A page's socket, greeted."""
    with reach(front, visitor, f"/ws/notifications{query}") as socket:
        assert json.loads(socket.recv(30))["event"] == "connected"
        yield socket


def hear(socket):
    """The next notification's title."""
    while (message := json.loads(socket.recv(60)))["event"] != "notification":
        pass
    return message["data"]["title"]


def goodbye(socket):
    """Whether the server closed this socket because it restarts, before the notification came."""
    try:
        assert hear(socket) == "During the restart"
    except ConnectionClosed:
        return socket.close_code == 1012
    return False


def held(site):
    """How many connections this live process holds."""
    lines = requests.get(f"{site.url}/metrics", timeout=30).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("notiway_connections{"))


def leads_to(front, visitor, live):
    """Whether the proxy has led a client there: one that has just started must first be found to be well."""
    with dial(front, visitor):
        return held(live) > 0


def test_pages_come_over_tls_and_http_2_with_a_cookie_that_says_so(front):
    done = subprocess.run(
        [
            "curl",
            "-s",
            "-D",
            "-",
            "-o",
            "/dev/null",
            "--cacert",
            str(front.log.parent / "site.crt"),
            f"{front.url}/login",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    head = done.stdout.lower()
    assert head.startswith("http/2 200")
    assert "strict-transport-security" in head
    assert "secure" in next(line for line in head.splitlines() if line.startswith("set-cookie"))


def test_sockets_go_to_both_live_processes_and_all_of_them_ring(front, visitor, sites):
    with ExitStack() as stack:
        sockets = [stack.enter_context(dial(front, visitor)) for _ in range(SOCKETS)]
        counts = wait_until(lambda: (now := [held(live) for live in sites[1:]]) and sum(now) >= SOCKETS and now, 30)
        assert min(counts) > 0
        visitor.notify("Through the proxy")
        assert [hear(each) for each in sockets] == ["Through the proxy"] * SOCKETS


def test_a_stream_is_not_buffered(front, visitor):
    with visitor.get("/api/notifications/stream", headers={"Accept": "text/event-stream"}, stream=True) as stream:
        assert stream.status_code == 200
        lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
        next(line for line in lines if line.startswith("event: unread"))
        visitor.notify("Into the stream")
        assert "Into the stream" in next(line for line in lines if "Into the" in line)


def test_signalr_negotiates_with_one_and_connects_to_any(front, visitor):
    for _ in range(4):
        given = visitor.post("/hub/negotiate?negotiateVersion=1").json()
        with reach(front, visitor, f"/hub?id={given['connectionToken']}") as socket:
            socket.send('{"protocol":"json","version":1}\x1e')
            assert socket.recv(30).startswith("{}\x1e")


def test_what_is_internal_stays_inside_and_other_sites_stay_out(front, visitor):
    assert requests.get(f"{front.url}/metrics", timeout=30).status_code == 403
    headers = {"Origin": "https://evil.example.com", "Connection": "Upgrade", "Upgrade": "websocket"}
    headers |= {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    assert visitor.get("/ws/notifications", headers=headers).status_code == 403


def test_a_live_process_that_restarts_says_goodbye_and_its_clients_go_to_the_other(front, visitor, sites):
    with ExitStack() as stack:
        sockets = [stack.enter_context(dial(front, visitor)) for _ in range(SOCKETS)]
        sites[1].stop()
        visitor.notify("During the restart")
        moved = 0
        for socket in sockets:
            if goodbye(socket):
                again = stack.enter_context(dial(front, visitor, "?since=00000000-0000-7000-8000-000000000000"))
                titles = [hear(again)]
                while titles[-1] != "During the restart":
                    titles.append(hear(again))
                moved += 1
        assert moved > 0
    sites[1].hold()


@pytest.mark.parametrize("front", ["nginx"], indirect=True)  # the others ask processes whether they are well
def test_a_live_process_that_was_restarted_gets_its_share_at_once(front, visitor, sites):
    with ExitStack() as stack:

        def dial_some():
            for _ in range(SOCKETS):
                stack.enter_context(dial(front, visitor))

        for live in sites[1:]:
            live.stop()
            dial_some()  # nginx finds out that it is gone
            live.hold()
            dial_some()
            assert held(live) == SOCKETS


# Caddy takes nobody who was answered with 503 to another process: docs/how-to/deploy.md says so.
@pytest.mark.parametrize("front", ["nginx", "haproxy"], indirect=True)
def test_nobody_is_refused_while_a_live_process_ends(front, visitor, sites):
    wait_until(lambda: leads_to(front, visitor, sites[1]))
    ending = sites[2].process
    with dial(front, visitor):  # so that it takes a moment
        ending.terminate()
        answers = []
        while ending.poll() is None or not answers:
            answers.append(visitor.post("/hub/negotiate?negotiateVersion=1").status_code)
    sites[2].hold()
    assert set(answers) == {200}


@pytest.mark.parametrize("front", ["nginx"], indirect=True)  # the others limit nothing
def test_a_large_array_of_envelopes_reaches_the_application(front):
    answer = requests.post(f"{front.url}/api/notifications", data=b"[" + b" " * 2_000_000 + b"]", timeout=60)
    assert answer.status_code == 401, "it asks for a key, and not the proxy for less"


def test_no_address_in_the_log_has_a_query(front, visitor):
    with dial(front, visitor, "?since=00000000-0000-7000-8000-000000000000"):
        pass
    if front.log.parent.name.startswith("nginx"):
        assert "since=" not in front.log.read_text()
        assert "/ws/notifications" in wait_until(front.log.read_text)
