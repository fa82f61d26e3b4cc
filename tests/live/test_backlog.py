"""Backlog: what waits for a slow client keeps its order, is superseded by its key, and is bounded."""

import ssl

import pytest

from notiway.live import backlog as module
from notiway.live.backlog import BURST_FACTOR, STALL_SECONDS, Backlog


@pytest.fixture
def now(monkeypatch):
    """What the clock says; a list of one, to be moved by hand."""
    now = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


class Socket:
    """Takes so many bytes, then has no room."""

    def __init__(self, room, fault=BlockingIOError):
        self.room = room
        self.fault = fault
        self.taken = b""

    def send(self, data):
        if not self.room:
            raise self.fault
        part = data[: self.room]
        self.room -= len(part)
        self.taken += part
        return len(part)


@pytest.mark.parametrize("step", [1, 2, 5, 100])
def test_every_byte_goes_out_in_order_however_little_fits_at_a_time(step):
    backlog = Backlog(b"begun ")
    for frame in (b"second ", b"third ", b"fourth"):
        backlog.add(frame)
    sock = Socket(0)
    done = False
    while not done:
        sock.room = step
        done = backlog.write(sock.send)
    assert sock.taken == b"begun second third fourth"
    assert (len(backlog), backlog.bytes, backlog.total, backlog.first) == (0, 0, 0, b"")


def test_the_bytes_that_wait_are_those_behind_the_frame_that_is_written():
    backlog = Backlog(b"begun")
    assert (backlog.bytes, backlog.total) == (0, 5)
    backlog.add(b"1234567")
    assert (backlog.bytes, backlog.total) == (7, 12)
    assert not backlog.write(Socket(3).send)
    assert (backlog.first, backlog.bytes, backlog.total) == (b"un", 7, 9)
    assert not backlog.write(Socket(3).send)
    assert (backlog.first, backlog.bytes, backlog.total) == (b"234567", 0, 6)


def test_a_frame_supersedes_the_one_that_waits_under_its_key():
    backlog = Backlog(b"")
    for frame, key in ((b"count 1 ", "unread"), (b"ping ", "ping"), (b"item ", None), (b"count 22 ", "unread")):
        backlog.add(frame, key)
    assert backlog.bytes == len(b"ping item count 22 ")
    sock = Socket(100)
    assert backlog.write(sock.send)
    assert sock.taken == b"ping item count 22 "


def test_a_frame_that_was_begun_is_never_superseded():
    backlog = Backlog(b"")
    backlog.add(b"count 1 ", "unread")
    assert not backlog.write(Socket(1).send)
    backlog.add(b"count 2 ", "unread")
    sock = Socket(100)
    backlog.write(sock.send)
    assert sock.taken == b"ount 1 count 2 "


def test_a_client_that_reads_may_fall_behind_by_a_burst(now):
    backlog = Backlog(b"x" * 1_000)
    for _ in range(10 * BURST_FACTOR):
        backlog.add(b"x")
    assert not backlog.is_over(10), "the frame that is written does not count"
    backlog.add(b"x")
    assert backlog.is_over(10)


def test_a_client_that_takes_nothing_may_fall_behind_by_the_limit_only(now):
    backlog = Backlog(b"begun")
    backlog.add(b"x" * 11)
    now[0] += STALL_SECONDS
    assert not backlog.is_over(10)
    backlog.write(Socket(1).send)  # it reads after all
    now[0] += STALL_SECONDS
    assert not backlog.is_over(10)
    backlog.write(Socket(0).send)
    now[0] += 0.1
    assert backlog.is_over(10)
    assert not backlog.is_over(11)


@pytest.mark.parametrize("fault", [BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError])
def test_a_full_socket_is_no_fault(fault):
    backlog = Backlog(b"begun")
    assert not backlog.write(Socket(0, fault).send)
    assert backlog.first == b"begun"


def test_a_broken_socket_is_one():
    with pytest.raises(BrokenPipeError):
        Backlog(b"begun").write(Socket(0, BrokenPipeError).send)
