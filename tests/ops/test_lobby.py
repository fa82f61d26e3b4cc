"""Connections that have not finished the head of their first request wait without a greenlet, and not for ever."""

from types import SimpleNamespace

import gevent
import pytest
from gevent import pool, socket
from servers import wait_until

from notiway import metrics
from notiway.ops.lobby import END, HEAD_BYTES, Lobby, open_lobby

HEAD = b"GET / HTTP/1.1\r\nHost: example.com" + END
PATIENCE = 20


class Place:
    """A lobby on a free port; what was handed over answers with the bytes that came."""

    def __init__(self, seconds=PATIENCE, **limits):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        self.port = listener.getsockname()[1]
        self.busy = pool.Pool(limits.pop("requests", 100))
        self.go_on = gevent.event.Event()
        self.go_on.set()
        self.lobby = Lobby(listener, self.handle, self.busy, seconds, **limits)
        self.lobby.start()
        self.clients = []

    def handle(self, client, address):
        client.setblocking(True)
        self.go_on.wait()
        client.sendall(client.recv(2 * HEAD_BYTES) or b"-")

    def come(self, says=b""):
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        client.sendall(says)
        self.clients.append(client)
        return client

    def waiting(self):
        gevent.sleep(0.01)
        return len(self.lobby._guests)

    def close(self):
        for client in self.clients:
            client.close()
        self.go_on.set()
        self.lobby.stop()


@pytest.fixture
def place():
    opened = []

    def make(**limits):
        opened.append(Place(**limits))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def answer(client):
    return client.recv(2 * HEAD_BYTES)


def test_a_whole_head_is_handed_over_with_every_byte(place):
    client = place().come(HEAD + b"and a body")
    assert answer(client) == HEAD + b"and a body"


def test_what_says_nothing_or_half_a_head_has_no_greenlet(place):
    here = place()
    here.come()
    here.come(HEAD[:10])
    wait_until(lambda: here.waiting() == 2)
    assert len(here.busy) == 0


def test_a_head_that_comes_in_pieces_is_handed_over_when_it_is_whole(place):
    here = place()
    client = here.come()
    for place_ in range(len(HEAD) - 1):
        client.sendall(HEAD[place_ : place_ + 1])
        wait_until(lambda: here.waiting() == 1)
        assert len(here.busy) == 0
    client.sendall(HEAD[-1:])
    assert answer(client) == HEAD
    assert here.waiting() == 0


def test_half_a_head_costs_no_work_while_nothing_comes(place, monkeypatch):
    here = place()
    looks = []
    monkeypatch.setattr(here.lobby, "_look_at", looks.append)
    here.come(HEAD[:10])
    wait_until(lambda: here.waiting() == 1)
    looks.clear()
    for _ in range(20):
        here.waiting()
    assert looks == []


def test_a_head_without_end_is_left_to_the_server(place):
    client = place().come(b"x" * (HEAD_BYTES + 1))
    assert answer(client).startswith(b"xxx")


@pytest.mark.parametrize("says", [b"", HEAD[:10]])
def test_who_goes_leaves_nothing_behind(place, says):
    here = place()
    client = here.come(says)
    wait_until(lambda: here.waiting() == 1)
    client.shutdown(socket.SHUT_WR)
    assert answer(client) == says or b"-"
    wait_until(lambda: here.waiting() == 0 and len(here.busy) == 0)


def test_what_does_not_finish_its_head_in_time_is_closed_and_counted(place):
    here = place(seconds=0.1)
    before = metrics.UNFINISHED_DROPS._value.get()
    for client in (here.come(), here.come(HEAD[:10])):
        with pytest.raises(ConnectionResetError) if client is here.clients[1] else gevent.Timeout(PATIENCE):
            assert answer(client) == b""
    assert metrics.UNFINISHED_DROPS._value.get() == before + 2
    assert here.waiting() == 0


def test_when_too_many_wait_the_oldest_is_closed(place):
    here = place(most=2)
    clients = [here.come() for _ in range(3)]
    assert answer(clients[0]) == b""
    for client in clients[1:]:
        client.sendall(HEAD)
        assert answer(client) == HEAD


def test_with_as_many_requests_as_may_be_a_head_waits_for_its_turn(place):
    here = place(requests=1)
    late = here.come(HEAD[:10])
    wait_until(lambda: here.waiting() == 1)
    here.go_on.clear()
    first = here.come(HEAD)
    wait_until(lambda: here.waiting() == 1 and len(here.busy) == 1)
    late.sendall(HEAD[10:])
    wait_until(lambda: here.waiting() == 1 and here.lobby._held_up)
    here.go_on.set()
    assert answer(first) == HEAD
    assert answer(late) == HEAD


def test_closing_serves_those_that_have_spoken_and_closes_the_rest(place):
    here = place()
    silent, speaker = here.come(), here.come(HEAD[:10])
    wait_until(lambda: here.waiting() == 2)
    speaker.sendall(HEAD[10:])
    here.lobby.close()
    assert answer(silent) == b""
    assert answer(speaker) == HEAD


@pytest.mark.parametrize(
    "worker", [SimpleNamespace(cfg=None), SimpleNamespace(server_class=None, cfg=SimpleNamespace(is_ssl=True))]
)
def test_other_workers_and_tls_are_left_alone(worker):
    before = dict(vars(worker))
    open_lobby(worker)
    assert vars(worker) == before
