"""Backlog: what waits for a slow client keeps its order, is superseded by its key, and is bounded."""

import ssl

import pytest

from notiway.live import backlog as module
from notiway.live.backlog import STALL_SECONDS, Backlog


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
        part = bytes(data[: self.room])
        self.room -= len(part)
        self.taken += part
        return len(part)


@pytest.mark.parametrize("step", [1, 2, 5, 100])
def test_every_byte_goes_out_in_order_however_little_fits_at_a_time(step):
    backlog = Backlog(b"begun ", None)
    for frame in (b"second ", b"third ", b"fourth"):
        backlog.add(frame)
    sock = Socket(0)
    done = False
    while not done:
        sock.room = step
        done = backlog.write(sock.send)
    assert sock.taken == b"begun second third fourth"
    assert (len(backlog), backlog.total, backlog.first) == (0, 0, b"")


def test_the_bytes_that_wait_are_counted():
    backlog = Backlog(b"begun", None)
    assert backlog.total == 5
    backlog.add(b"1234567")
    assert backlog.total == 12
    assert not backlog.write(Socket(3).send)
    assert (backlog.first, backlog.total) == (b"un", 9)
    assert not backlog.write(Socket(3).send)
    assert (backlog.first, backlog.total) == (b"234567", 6)


def test_a_frame_supersedes_the_one_that_waits_under_its_key():
    backlog = Backlog(b"", None)
    for frame, key in ((b"count 1 ", "unread"), (b"ping ", "ping"), (b"item ", None), (b"count 22 ", "unread")):
        backlog.add(frame, key)
    assert backlog.total == len(b"ping item count 22 ")
    sock = Socket(100)
    assert backlog.write(sock.send)
    assert sock.taken == b"ping item count 22 "


def test_a_frame_that_was_begun_is_never_superseded():
    backlog = Backlog(b"", None)
    backlog.add(b"count 1 ", "unread")
    assert not backlog.write(Socket(1).send)
    backlog.add(b"count 2 ", "unread")
    sock = Socket(100)
    backlog.write(sock.send)
    assert sock.taken == b"ount 1 count 2 "


def test_only_a_client_that_takes_nothing_has_stalled_and_only_over_the_limit(now):
    backlog = Backlog(b"begun", None)
    backlog.add(b"x" * 1_000_000)
    assert not backlog.has_stalled(10), "nobody can have read what was only just queued"
    now[0] += STALL_SECONDS + 0.1
    assert backlog.has_stalled(10)
    backlog.write(Socket(1).send)  # it reads after all
    assert not backlog.has_stalled(10)
    now[0] += STALL_SECONDS
    assert not backlog.has_stalled(10)
    backlog.write(Socket(0).send)
    now[0] += 0.1
    assert backlog.has_stalled(10)
    assert not backlog.has_stalled(2_000_000)


def test_a_ledger_is_told_of_every_frame_that_comes_and_goes():
    class Ledger(list):
        hold = list.append
        let_go = list.remove

    ledger = Ledger()
    backlog = Backlog(b"begun", ledger, sent=2)
    for number in range(9):
        backlog.add(b"count %d" % number, "unread")
        backlog.add(b"item %d" % number)
        assert sum(map(len, ledger)) >= backlog.total
        backlog.write(Socket(3).send)
        assert sum(map(len, ledger)) >= backlog.total
    assert ledger.count(b"count 7") == 0, "superseded"
    backlog.discard()
    assert ledger == []


def test_what_is_written_is_no_longer_counted():
    class Ledger(list):
        hold = list.append
        let_go = list.remove

    ledger = Ledger()
    backlog = Backlog(b"begun", ledger)
    backlog.add(b"more")
    assert ledger == [b"begun", b"more"]
    backlog.write(Socket(6).send)
    assert ledger == [b"more"], "in memory until its last byte is written"
    assert backlog.write(Socket(100).send)
    assert ledger == []
    backlog.discard()
    assert ledger == []


def test_ten_thousand_keys_cost_no_walk_over_what_waits():
    backlog = Backlog(b"begun", None)
    for lap in range(3):
        for number in range(10_000):
            backlog.add(b"%d" % lap, f"key {number}")
    assert (len(backlog), backlog.total) == (10_001, 10_005)


@pytest.mark.parametrize("fault", [BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError])
def test_a_full_socket_is_no_fault(fault):
    backlog = Backlog(b"begun", None)
    assert not backlog.write(Socket(0, fault).send)
    assert backlog.first == b"begun"


def test_a_broken_socket_is_one():
    with pytest.raises(BrokenPipeError):
        Backlog(b"begun", None).write(Socket(0, BrokenPipeError).send)
