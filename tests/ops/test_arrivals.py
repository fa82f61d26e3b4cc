"""Live connects wait in line: a crowd that comes back at once is let in at a bounded rate, and holds up nobody else."""

from types import SimpleNamespace

import gevent
import pytest
from gevent import pool, socket
from servers import wait_until

from notiway import metrics
from notiway.ops import arrivals as module
from notiway.ops.arrivals import END, Arrivals, is_live
from notiway.ops.lobby import Lobby

PATIENCE = 20
UPGRADE = b"GET /ws/notifications HTTP/1.1\r\nHost: example.com\r\nupgrade: WebSocket" + END
STREAM = b"GET /api/notifications/stream HTTP/1.1\r\nAccept: text/event-stream" + END
PAGE = b"GET / HTTP/1.1\r\nHost: example.com\r\nAccept: text/html" + END


@pytest.mark.parametrize(("head", "wanted"), [(UPGRADE, True), (STREAM, True), (PAGE, False), (b"", False)])
def test_what_asks_for_a_connection_that_stays_is_told_by_its_head(head, wanted):
    assert is_live(head) is wanted


class Door:
    """A line whose clock and timer stand still: `let_in` has who was let in, `look` is what the timer would do."""

    def __init__(self, monkeypatch, rate):
        self.now, self.cpu = 100.0, 5.0
        self.let_in, self.is_full, self.look = [], False, None
        clock = SimpleNamespace(monotonic=lambda: self.now, thread_time=lambda: self.cpu)
        monkeypatch.setattr(module, "time", clock)
        monkeypatch.setattr(module, "_has_left", lambda client: client in self.gone)
        self.gone = set()
        self.line = Arrivals(self, rate, lambda client, address: self.let_in.append(client), lambda: self.is_full)

    def timer(self, seconds):
        return self

    def start(self, look):
        self.look = look

    def stop(self):
        self.look = None

    close = stop

    def pass_time(self, seconds, cpu=0.0):
        self.now += seconds
        self.cpu += cpu
        look, self.look = self.look, None
        if look is not None:
            look()


class Someone:
    """A client's socket."""

    def __init__(self):
        self.said, self.is_closed = b"", False

    def setblocking(self, flag):
        return None

    def recv(self, size):
        return UPGRADE

    def send(self, data):
        self.said += data

    def shutdown(self, how):
        return None

    def close(self):
        self.is_closed = True


@pytest.fixture
def door(monkeypatch):
    return lambda rate: Door(monkeypatch, rate)


def come(here, count):
    clients = [Someone() for _ in range(count)]
    for client in clients:
        here.line.put(client, None)
    return clients


def test_a_few_are_let_in_at_once_and_nothing_is_timed(door):
    here = door(1_000)
    clients = come(here, module.AT_ONCE)
    assert here.let_in == clients
    assert here.look is None


def test_more_wait_in_order_and_come_in_at_the_rate(door):
    here = door(1_000)
    clients = come(here, 100)
    assert len(here.let_in) == module.AT_ONCE
    for turn in range(1, 9):
        here.pass_time(module.TICK_SECONDS)
        assert len(here.let_in) == module.AT_ONCE + 10 * turn
    assert here.let_in == clients
    assert here.look is None, "nothing is timed when nobody waits"


def test_nobody_passes_those_who_wait(door):
    here = door(1_000)
    first = come(here, module.AT_ONCE + 1)
    here.now += 60
    (last,) = come(here, 1)
    assert here.let_in == first[:-1]
    here.pass_time(0)
    assert here.let_in == [*first, last]


def test_a_loop_that_is_busy_is_given_less_and_one_that_merely_waits_for_a_core_is_not(door):
    here = door(1_000)
    come(here, 1_000)
    here.pass_time(module.TICK_SECONDS)
    counts = []
    for _ in range(5):
        before = len(here.let_in)
        here.pass_time(0.2, cpu=0.1)
        counts.append(len(here.let_in) - before)
    assert counts == sorted(counts, reverse=True)
    assert 1 <= counts[-1] < counts[0] < 10
    for _ in range(20):
        here.pass_time(module.TICK_SECONDS)
    before = len(here.let_in)
    here.pass_time(module.TICK_SECONDS)
    assert len(here.let_in) - before == 10, "not busy any more: all that the rate allows"
    here.pass_time(0.2)
    assert len(here.let_in) - before == 20


def test_who_would_wait_for_too_long_is_refused_with_a_time_to_come_back(door):
    here = door(10)
    before = metrics.CONNECTS_REFUSED._value.get()
    clients = come(here, module.AT_ONCE + int(10 * module.PATIENCE_SECONDS) + 1)
    *_, last = clients
    head, _, body = last.said.partition(END)
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: " in head
    assert b'"code": "Unavailable"' in body
    assert last.is_closed
    assert not any(each.said for each in clients[:-1])
    assert metrics.CONNECTS_REFUSED._value.get() == before + 1


def test_who_has_left_meanwhile_is_not_let_in(door):
    here = door(1_000)
    clients = come(here, module.AT_ONCE + 3)
    here.gone.add(clients[-2])
    here.pass_time(module.TICK_SECONDS)
    assert here.let_in == [each for each in clients if each is not clients[-2]]
    assert clients[-2].is_closed


def test_while_as_many_requests_as_may_be_are_under_way_nobody_is_let_in(door):
    here = door(1_000)
    here.is_full = True
    clients = come(here, 2)
    here.pass_time(module.TICK_SECONDS)
    assert here.let_in == []
    here.is_full = False
    here.pass_time(module.TICK_SECONDS)
    assert here.let_in == clients


def test_at_the_end_those_who_wait_are_closed(door):
    here = door(1_000)
    clients = come(here, module.AT_ONCE + 2)
    here.line.close()
    assert [each.is_closed for each in clients] == [False] * module.AT_ONCE + [True, True]
    assert len(here.line) == 0


# On real sockets


@pytest.fixture
def place():
    """A lobby in which a live connect a second is let in, after the first few."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(100)

    def answer(client, address):
        client.setblocking(True)
        client.sendall(client.recv(65_536))

    lobby = Lobby(listener, answer, pool.Pool(100), PATIENCE, connect_rate=1.0)
    lobby.start()
    clients = []

    def come_in(says):
        client = socket.create_connection(listener.getsockname(), PATIENCE)
        client.sendall(says)
        clients.append(client)
        return client

    yield lobby, come_in
    for client in clients:
        client.close()
    lobby.stop()


def test_a_page_is_answered_while_live_connects_wait(place):
    lobby, come_in = place
    for _ in range(module.AT_ONCE + 3):
        come_in(UPGRADE)
    wait_until(lambda: gevent.sleep(0.001) or len(lobby._arrivals) == 3)
    assert come_in(PAGE).recv(65_536) == PAGE
    assert len(lobby._arrivals) >= 2


def test_a_client_that_waited_gets_every_byte_and_one_that_has_gone_none(place):
    lobby, come_in = place
    clients = [come_in(UPGRADE) for _ in range(module.AT_ONCE)]
    assert [each.recv(65_536) for each in clients] == [UPGRADE] * module.AT_ONCE
    gone, patient = come_in(UPGRADE), come_in(UPGRADE + b"\x81\x80")
    wait_until(lambda: gevent.sleep(0.001) or len(lobby._arrivals) == 2)
    gone.close()
    assert patient.recv(65_536) == UPGRADE + b"\x81\x80"


def test_who_is_refused_can_read_it(place):
    lobby, come_in = place
    for _ in range(module.AT_ONCE + int(module.PATIENCE_SECONDS)):
        come_in(UPGRADE)
    wait_until(lambda: gevent.sleep(0.001) or len(lobby._arrivals) == module.PATIENCE_SECONDS)
    answer = b"".join(iter(lambda: refused.recv(65_536), b"")) if (refused := come_in(UPGRADE)) else b""
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After" in answer
