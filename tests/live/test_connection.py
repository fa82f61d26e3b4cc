"""Connection: whole frames, in order, or a close; never more memory than the limit and one frame."""

import socket

import pytest
from pair import json_format, make_pair

from notiway import metrics
from notiway.live import backlog, socket_room
from notiway.live import connection as connection_module
from notiway.live.connection import Connection
from notiway.live.state import State
from notiway.values.close_codes import CloseCode

CLOSE = json_format().transport.farewell


class Scripted:
    """A socket that takes exactly as many bytes as it is told to."""

    family = socket.AF_UNIX

    def __init__(self, room=0):
        self.room = room
        self.taken = b""
        self.is_closed = False
        self.fault = None

    def send(self, data):
        if self.fault:
            raise self.fault
        if not self.room:
            raise BlockingIOError
        part = bytes(data[: self.room])
        self.room -= len(part)
        self.taken += part
        return len(part)

    def setblocking(self, flag):
        assert flag is False

    def setsockopt(self, *args):
        pass

    def fileno(self):
        return 0

    def shutdown(self, how):
        pass

    def close(self):
        self.is_closed = True


class Owner:
    """A hub's side of a connection, which counts what waits."""

    def __init__(self):
        self.wanted, self.forgotten = [], []
        self.pressure = self
        self.queued = []

    def hold(self, data):
        self.queued.append(data)

    def let_go(self, data):
        self.queued.remove(data)

    def want_write(self, connection, wanted):
        self.wanted.append(wanted)

    def forget(self, connection):
        self.forgotten.append(connection)


@pytest.fixture
def no_bursts(monkeypatch):
    """A client has stalled as soon as anything waits for it."""
    monkeypatch.setattr(backlog, "STALL_SECONDS", -1.0)


def scripted(room=0, limit=100, **kinds):
    sock = Scripted(room)
    connection = Connection(sock, json_format(), "c", limit, "ada")
    connection.owner = Owner()
    connection.release([])
    return connection, sock


def test_a_frame_goes_out_at_once_when_there_is_room():
    connection, sock = scripted(room=100)
    connection.offer(b"frame")
    assert (sock.taken, connection.backlog, connection.direct) == (b"frame", None, True)


@pytest.mark.parametrize("cut", range(13))
def test_wherever_a_write_is_cut_every_byte_follows_in_order(cut):
    connection, sock = scripted(room=cut)
    for frame in (b"first", b"second"):
        connection.offer(frame)
    connection.offer(b"third")
    while connection.backlog:
        sock.room += 1
        connection.flush()
    assert sock.taken == b"firstsecondthird"
    assert connection.direct
    assert connection.backlog is None
    assert connection.owner.wanted[-1:] in ([False], [])


@pytest.mark.parametrize("cut", range(10))
def test_a_joined_burst_is_kept_frame_by_frame(cut):
    connection, sock = scripted(limit=5)
    frames = [(b"aaaa", None), (b"bbb", "unread"), (b"cc", "unread"), (b"d", None)]
    connection.keep(frames, cut)
    sock.room = 100
    connection.flush()
    joined = b"".join(data for data, _ in frames)
    # The first badge is superseded unless it was begun, or was the one being written.
    assert sock.taken in (joined[cut:], b"aaaaccd"[cut:])
    assert (sock.taken == joined[cut:]) is (cut >= 4)


def test_what_is_superseded_is_replaced_but_never_the_frame_that_was_begun():
    connection, sock = scripted(room=2)
    connection.offer(b"badge 1", "unread")
    for number in range(2, 9):
        connection.offer(b"badge %d" % number, "unread")
        connection.offer(b"ping", "ping")
    connection.offer(b"item")
    sock.room = 100
    connection.flush()
    assert sock.taken == b"badge 1badge 8pingitem"


def test_a_client_that_reads_too_slowly_is_closed_with_1013_after_the_frame_that_was_begun(no_bursts):
    connection, sock = scripted(room=3, limit=20)
    drops = metrics.BACKLOG_DROPS._value.get()
    for number in range(20):
        connection.offer(b"frame %02d|" % number)
        assert connection.backlog.total <= 20 + len(b"frame 00|") + len(CLOSE(CloseCode.TOO_SLOW, "too slow"))
    sock.room = 1_000
    connection.flush()
    assert sock.taken == b"frame 00|" + CLOSE(CloseCode.TOO_SLOW, "too slow")
    assert connection.state is State.LINGERING
    assert metrics.BACKLOG_DROPS._value.get() == drops + 1


def test_a_burst_of_any_size_is_kept_for_a_client_that_reads():
    """The server had a lot to say: 1,000 envelopes of 32 KiB in one request are within the contract."""
    connection, sock = scripted(room=5, limit=50)
    connection.keep([(b"x" * 10_000, None) for _ in range(1_000)], 5)
    assert connection.state is State.OPEN
    assert sum(map(len, connection.owner.queued)) - 5 == connection.backlog.total == 10_000_000 - 5
    sock.room = 100_000_000
    connection.flush()
    assert len(sock.taken) == 10_000_000 - 5
    assert (connection.state, connection.backlog, connection.owner.queued) == (State.OPEN, None, [])


def test_a_client_that_has_taken_nothing_for_a_while_gets_no_burst(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(backlog, "monotonic", lambda: now[0])
    connection, sock = scripted(limit=50)
    connection.offer(b"x" * 10)
    for _ in range(8):
        connection.offer(b"x" * 10)
    assert connection.state is State.OPEN
    now[0] += backlog.STALL_SECONDS - 1
    sock.room = 1
    connection.flush()
    now[0] += backlog.STALL_SECONDS
    connection.offer(b"x")
    assert connection.state is State.OPEN, "it took a byte meanwhile"
    now[0] += 0.1
    connection.offer(b"x")
    assert connection.state is not State.OPEN


def test_a_burst_that_is_larger_than_the_limit_is_not_kept(no_bursts):
    connection, sock = scripted(limit=50)
    burst = [(b"x" * 10, None) for _ in range(1_000)]
    connection.keep(burst, 5)
    assert connection.backlog.total < 100
    assert sum(map(len, connection.owner.queued)) == connection.backlog.total
    sock.room = 1_000
    connection.flush()
    assert sock.taken == b"x" * 5 + CLOSE(CloseCode.TOO_SLOW, "too slow")


def test_a_replay_may_be_larger_than_the_limit_as_long_as_it_is_read(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(backlog, "monotonic", lambda: now[0])
    connection, sock = scripted(limit=50)
    connection.held = []
    connection.release([b"r" * 500, b"s" * 500])
    for _ in range(9):
        now[0] += backlog.STALL_SECONDS
        sock.room = 50
        connection.flush()
        connection.offer(b"12345")
        assert connection.state is State.OPEN
    now[0] += backlog.STALL_SECONDS + 0.1
    connection.offer(b"123456")
    assert connection.state is not State.OPEN


def test_what_comes_while_held_follows_what_is_first_without_doubles():
    connection, sock = scripted(room=1_000)
    connection.held = []
    connection.offer(b"old ", None, "id-1")
    connection.offer(b"new ", None, "id-2")
    connection.offer(b"badge ", "unread")
    assert sock.taken == b""
    connection.know(frozenset({"id-1"}))
    connection.release([b"connected ", b"replayed-1 "])
    connection.offer(b"live")
    assert sock.taken == b"connected replayed-1 new badge live"


def test_nothing_is_written_directly_while_held_or_queued():
    sock = Scripted(4)
    connection = Connection(sock, json_format(), "c", 100)
    assert not connection.direct
    connection.release([])
    assert connection.direct
    connection.offer(b"frame")
    assert not connection.direct
    sock.room = 10
    connection.flush()
    assert connection.direct
    connection.close(1000)
    assert not connection.direct


def test_a_tls_socket_is_never_written_joined(monkeypatch):
    monkeypatch.setattr(connection_module.ssl, "SSLSocket", Scripted)
    connection, _ = scripted(room=100)
    assert not connection.direct


def test_nothing_follows_a_close():
    connection, sock = scripted(room=100)
    connection.close(CloseCode.SIGNED_OUT, "bye")
    connection.close(1000)
    connection.offer(b"late")
    connection.release([b"late"])
    assert sock.taken == CLOSE(CloseCode.SIGNED_OUT, "bye")


def test_what_is_held_has_a_bound_too(monkeypatch):
    """A client that never says hello must not make the server keep everything for it."""
    monkeypatch.setattr(connection_module, "HELD_FRAMES", 3)
    connection, sock = scripted(room=1000)
    connection.held = []
    for _ in range(3):
        connection.offer(b"held")
    assert connection.state is State.OPEN
    connection.offer(b"one too many")
    assert connection.held is None
    assert sock.taken == CLOSE(CloseCode.TOO_SLOW, "too slow")


def test_a_close_while_held_drops_what_was_held():
    connection, sock = scripted(room=100)
    connection.held = []
    connection.offer(b"held")
    connection.close(CloseCode.SIGNED_OUT, "")
    connection.release([b"first"])
    assert sock.taken == CLOSE(CloseCode.SIGNED_OUT, "")


@pytest.mark.parametrize("fault", [BrokenPipeError(), ConnectionResetError(), OSError(9, "bad")])
@pytest.mark.parametrize("when", ["write", "flush", "close"])
def test_a_client_that_is_gone_is_let_go_once(fault, when):
    connection, sock = scripted(room=1)
    gone = []
    connection.on_gone = lambda: gone.append(1)
    if when == "flush":
        connection.offer(b"queued")
    sock.fault = fault
    {"write": lambda: connection.offer(b"x"), "flush": connection.flush, "close": lambda: connection.close(1000)}[
        when
    ]()
    connection.lost()
    assert (sock.is_closed, gone, connection.owner.forgotten) == (True, [1], [connection])
    assert connection.state is State.CLOSED
    assert (connection.backlog, connection.held, connection.parser) == (None, None, None)
    assert connection.owner.queued == []


def test_over_a_real_socket_every_byte_arrives_in_order_or_a_close_does(no_bursts):
    connection, client = make_pair(limit=10_000)
    connection.release([])
    sent = []
    while connection.state is State.OPEN:
        text = f"{len(sent)} " + "x" * 900
        connection.offer(connection.format.transport.encode(text))
        sent.append(text)
        assert connection.backlog is None or connection.backlog.total <= 12_000
    received = []
    while True:
        if connection.backlog:
            connection.flush()
        received += client.read(1)
        if isinstance(received[-1], tuple):
            break
    assert received[-1] == ("close", 1013)
    assert 3 <= len(received) - 1 < len(sent)
    assert received[:-1] == sent[: len(received) - 1]
    assert client.read_all() == []
    connection.lost()
    client.close()


def room(connection):
    return connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) // 2  # the kernel doubles what it is given


def test_a_client_that_reads_a_large_backlog_has_more_room_in_the_kernel_until_it_has_it():
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.settimeout(10)
        connection = Connection(ours, json_format(), "c", 64 * 1024, "ada")
        connection.release([])
        connection.offer(b"y" * 4 * 1024 * 1024)
        assert room(connection) == socket_room.SMALL_BYTES, "one that has stalled pins no more than before"
        theirs.recv(1024 * 1024)
        connection.flush()
        assert room(connection) == socket_room.LARGE_BYTES
        while connection.backlog is not None:
            theirs.recv(1024 * 1024)
            connection.flush()
        assert room(connection) == socket_room.SMALL_BYTES
        connection.lost()


def test_a_small_backlog_gets_no_more_room():
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.settimeout(10)
        connection = Connection(ours, json_format(), "c", 64 * 1024, "ada")
        connection.release([])
        connection.offer(b"x" * 90_000)
        while connection.backlog is not None:
            theirs.recv(20_000)
            connection.flush()
            assert room(connection) == socket_room.SMALL_BYTES
        connection.lost()


def test_no_ping_goes_before_what_a_client_that_is_held_is_told_first():
    connection, sock = scripted(room=100)
    connection.hold()
    connection.offer(b"ping", connection_module.PING)
    connection.release([b"first"])
    assert sock.taken == b"first"
    connection.offer(b"ping", connection_module.PING)
    assert sock.taken == b"firstping"
