"""Who talks too much, reads nothing or never ends costs nobody else anything."""

import contextlib
import socket

import pytest
import requests
from clients.producer import Producer, token
from server.talk import metric
from servers import wait_until

from chaos.bystander import standing_by
from chaos.load import ApiSender, envelope, new_mark, sending
from chaos.rounds import SETTINGS, wait_for_acknowledged
from chaos.screens import screens, settle
from chaos.talkers import (
    FLOODS,
    HALF_A_HEAD,
    MEGABYTE,
    NOISY,
    NOTHING,
    SMALL_BUFFER,
    Flood,
    Trickle,
    action,
    half_open,
    memory_of,
    open_line,
    silent_connections,
    wait_for_upgrade,
)

STANDING = 1_000
TALKERS = 28  # 4 of each kind of flood
RESUMERS, MISSED = 200, 1_100
SLOW_BODIES = 25
HALF_OPEN = 10_000
TURNED_AWAY = (4008).to_bytes(2, "big")  # the code in a close frame
MOST = 50  # NOTIWAY_MAX_CONNECTIONS_PER_USER
MEMORY_BYTES = 100 * MEGABYTE
ANSWERS = 50
USER = "good client"
STALLED = "stalled"
CONNECTIONS = 'notiway_connections{wire="json"}'


@pytest.fixture(scope="module")
def site(make_site):
    """A site where a thousand messages stand for a group, and more than one replay for a user who resumes."""
    site = make_site(**SETTINGS, NOTIWAY_OPEN_GROUPS="noisy").start()
    producer = Producer(site)
    for to, count in ((NOISY, STANDING), (f"user:{STALLED}", MISSED)):
        for _ in range(0, count, 100):
            producer.send(*(envelope(new_mark("standing"), to, fill="x" * 1_000) for _ in range(100)))
    return site


@pytest.fixture
def served(ledger, site):
    """Whatever the test does meanwhile: a good client is served, loses nothing, and memory stays bounded."""

    @contextlib.contextmanager
    def serve():
        worker = site.worker_pid()
        sender = ApiSender(Producer(site), ledger, f"user:{USER}", batch=1)
        with (
            standing_by(site, ledger) as bystander,
            screens(site, ledger, token(site, USER)) as opened,
            memory_of(site) as memory,
        ):
            with sending(sender):
                yield bystander
                bystander.wait_for(ANSWERS)
                wait_for_acknowledged(ledger, ANSWERS)
            settle(site, ledger)
        ledger.remarks["memory_mb"] = round(memory.growth / MEGABYTE)
        ledger.remarks["came_back"] = {screen.label: screen.last_code for screen in opened if screen.connects > 1}
        ledger.check()
        assert not bystander.failures
        assert site.worker_pid() == worker, "the worker was replaced"
        assert memory.growth < MEMORY_BYTES

    return serve


@pytest.mark.parametrize("says", FLOODS)
def test_floods_of_one_kind(served, site, says):
    with served(), contextlib.closing(Flood(site, {says: 4})):
        pass


@pytest.mark.parametrize("count", [50, 1_200])
def test_subscriptions_in_one_write(served, site, count):
    with contextlib.closing(open_line(site, "/ws/notifications", "subscriber", audience="noisy")) as line, served():
        wait_for_upgrade(line)
        line.sendall(action("unsubscribe", audience=NOISY) + action("subscribe", audience=NOISY) * count)


def test_sockets_that_ask_for_much_and_hang_up(served, site):
    with served():
        for number in range(SLOW_BODIES):
            with contextlib.closing(open_line(site, "/ws/notifications", f"quitter {number}")) as line:
                wait_for_upgrade(line)
                line.settimeout(0.5)
                with contextlib.suppress(TimeoutError):  # what the server does not read any more is not sent
                    line.sendall(action("markAllAsRead") * 4_000)


def came_to(line):
    """What lies there unread."""
    with contextlib.suppress(OSError):
        return line.recv(SMALL_BUFFER, socket.MSG_PEEK)
    return b""


def held_for(site, user):
    """How many connections the hub holds for a user: those that it let in and has not let go."""
    return requests.get(f"{site.url}/test/held/{user}", timeout=60).json()["count"]


def test_resumers_that_read_nothing_are_bounded_and_let_go(served, ledger, site):
    with contextlib.ExitStack() as doors, served():
        lines, held = [], []
        for _ in range(RESUMERS):
            line = open_line(site, "/ws/notifications", STALLED, SMALL_BUFFER, since="")
            lines.append(doors.enter_context(contextlib.closing(line)))
            held.append(held_for(site, STALLED))
        wait_until(lambda: all(b"\r\n\r\n" in came_to(line) for line in lines), 60)
        # All but the good client's screen and the bystander's ping are let go, though none of them says goodbye.
        wait_until(lambda: metric(site, CONNECTIONS) <= 2, 60)
        ledger.remarks["let_in"] = sum(b'"connected"' in came_to(line) for line in lines)
        ledger.remarks["turned_away"] = sum(TURNED_AWAY in came_to(line) for line in lines)
        ledger.remarks["held_at_most"] = max(held)
        assert 0 < max(held) <= MOST
        assert ledger.remarks["turned_away"]


@pytest.mark.parametrize("says", [NOTHING, HALF_A_HEAD], ids=["nothing", "half a head"])
def test_connections_that_do_not_say_what_they_want(served, ledger, site, says):
    count = silent_connections(HALF_OPEN)
    with contextlib.ExitStack() as doors, served():
        for line in half_open(site, count, says):
            doors.enter_context(contextlib.closing(line))
        ledger.remarks["half_open"] = count


def test_everything_at_once(served, ledger, site):
    silent = silent_connections(HALF_OPEN)
    bearer = str(Producer(site).http.headers["Authorization"])
    bodies = [("/api/notifications", {"Authorization": bearer}), ("/login", {})]
    with contextlib.ExitStack() as doors, served():
        doors.enter_context(contextlib.closing(Flood(site, dict.fromkeys(FLOODS, TALKERS // len(FLOODS)))))
        for _ in range(RESUMERS):
            line = open_line(site, "/ws/notifications", STALLED, SMALL_BUFFER, since="")
            doors.enter_context(contextlib.closing(line))
        doors.enter_context(contextlib.closing(Trickle(site, bodies * SLOW_BODIES)))
        for line in half_open(site, silent, NOTHING, HALF_A_HEAD):
            doors.enter_context(contextlib.closing(line))
        ledger.remarks["half_open"] = silent
    assert requests.get(f"{site.url}/readyz", timeout=30).ok
