"""A reader that stops reading gets every byte in order or a close 1013, and nobody waits for it."""

import json
import socket
import statistics
import time
from contextlib import contextmanager

import psutil
import pytest
from servers import wait_until
from serving import ROOT
from websockets.exceptions import ConnectionClosed

from server.talk import PATIENCE_SECONDS, burst, inbox, is_open_elsewhere, listen, metric, new_visitor, open_socket

COUNT, SIZE = 100, 30_000  # 3 MB
ROOMY = 8 * 1024 * 1024
SMALL_BUFFER = 16 * 1024
SAMPLES = 30
DROPS = "notiway_backlog_drops_total"


@pytest.fixture(scope="module")
def roomy_site(make_site):
    """Lets 8 MB wait for one client."""
    return make_site(NOTIWAY_QUEUE_LIMIT=ROOMY).start()


@contextmanager
def stopped(visitor, **query):
    """A connection that `websockets` does not read from until it is asked to."""
    stream = socket.create_connection(("127.0.0.1", visitor.site.port), PATIENCE_SECONDS)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    # A queue of one: the library stops reading when two messages wait for the test.
    options = {"max_queue": 1, "sock": stream, "max_size": None, "ping_interval": None}
    with open_socket(visitor.site, visitor.cookie, query, **options) as connection:
        try:
            yield connection
        finally:
            stream.close()


def read_all(connection, count, known=()):
    """The ids of that many notifications that are not known, or of fewer and the close code."""
    ids = []
    try:
        while len(ids) < count:
            message = json.loads(connection.recv(timeout=PATIENCE_SECONDS))
            if message["event"] == "notification":
                assert len(message["data"]["body"]["fill"]) == SIZE
                ids += [] if message["data"]["id"] in known else [message["data"]["id"]]
    except ConnectionClosed as closed:
        return ids, closed.rcvd.code if closed.rcvd else None
    return ids, None


@contextmanager
def until_dropped(site, count=1):
    """Waits at its end until so many more readers were let go because they took nothing."""
    before = metric(site, DROPS)
    yield
    wait_until(lambda: metric(site, DROPS) >= before + count)


def test_with_little_room_it_gets_whole_frames_in_order_and_then_1013(ada):
    with stopped(ada) as reader:
        with until_dropped(ada.site):
            sent = burst(ada, COUNT, size=SIZE)
        ids, code = read_all(reader, COUNT)
    assert code == 1013
    assert ids == sent[: len(ids)]
    assert len(ids) < COUNT


def test_with_enough_room_it_gets_every_byte_in_order(roomy_site):
    with new_visitor(roomy_site) as visitor, stopped(visitor) as reader:
        sent = burst(visitor, COUNT, size=SIZE)
        assert read_all(reader, COUNT) == (sent, None)
        visitor.notify("And on it goes")
        assert json.loads(reader.recv(timeout=PATIENCE_SECONDS))["data"]["title"] == "And on it goes"


def test_a_reader_that_reads_gets_a_burst_far_beyond_its_limit(visitor):
    """The server had a lot to say: that does not make the client slow."""
    with stopped(visitor) as reader:
        sent = burst(visitor, COUNT, size=SIZE)
        assert read_all(reader, COUNT) == (sent, None)


def test_after_1013_it_reconnects_and_gets_the_rest(ada):
    with stopped(ada) as reader:
        with until_dropped(ada.site):
            sent = burst(ada, COUNT, size=SIZE)
        ids, _ = read_all(reader, COUNT)
    with stopped(ada, since=ids[-1] if ids else "") as reader:
        rest, code = read_all(reader, COUNT - len(ids), known=ids)
    assert ids + rest == sent
    assert code is None


def test_a_slow_reader_that_reads_in_time_is_not_closed(visitor):
    with stopped(visitor) as reader:
        for _ in range(10):
            sent = burst(visitor, 2, size=SIZE)
            assert read_all(reader, 2) == (sent, None)


def test_of_counts_that_wait_only_the_newest_is_sent(visitor):
    with stopped(visitor) as reader:
        sent = burst(visitor, 5, size=SIZE)
        for _ in range(2000):
            reader.send('{"action": "ping"}')
        reader.send('{"action": "markAllAsRead"}')
        wait_until(lambda: inbox(visitor)[1] == 0)  # handled in order, so all pings are answered by now
        assert read_all(reader, 5) == (sent, None)
        counts = 0
        while json.loads(reader.recv(timeout=PATIENCE_SECONDS))["event"] == "pong":
            counts += 1
        assert 0 < counts < 500, "what the kernel had taken already, and the newest"


def latencies(visitor, tab):
    """Seconds from sending to hearing, several times."""
    taken = []
    for number in range(SAMPLES):
        began = time.perf_counter()
        sent = visitor.notify(f"Sample {number}")["id"]
        assert tab.hear_only("notification")["id"] == sent
        taken.append(time.perf_counter() - began)
    return taken


def test_other_clients_wait_for_none_of_it(ada, bob):
    with listen(bob) as neighbour, listen(ada) as other_tab:
        before = statistics.median(latencies(bob, neighbour))
        with stopped(ada) as one, stopped(ada) as two:
            with until_dropped(ada.site, 2):
                for _ in range(COUNT // 2):
                    sent = burst(ada, 1, size=SIZE)
                    assert other_tab.hear_only("notification")["id"] == sent[0], "even in the same audience"
            meanwhile = statistics.median(latencies(bob, neighbour))
            assert meanwhile < before * 5
            assert {read_all(one, COUNT)[1], read_all(two, COUNT)[1]} == {1013}


def test_a_drop_is_counted(site, visitor):
    before = metric(site, DROPS)
    with stopped(visitor) as reader:
        with until_dropped(site):
            burst(visitor, COUNT // 2, size=SIZE)
        assert read_all(reader, COUNT)[1] == 1013
    assert metric(site, DROPS) == before + 1


def test_a_reader_that_never_reads_again_is_let_go(quick_site):
    with new_visitor(quick_site) as visitor, stopped(visitor), listen(visitor):
        burst(visitor, 20, size=SIZE, persist=False)
        is_open_elsewhere(quick_site, 1)


IMPATIENT = """
import pathlib
from notiway.ops import serving
serving.SEND_SECONDS = 1  # where the hooks look it up
exec(pathlib.Path({conf!r}).read_text(), globals())
"""


def test_answers_that_nobody_reads_are_not_kept(make_site, tmp_path):
    """A client that asks again and again and reads nothing would else hold a greenlet, and its answer, for ever."""
    conf = tmp_path / "impatient.py"
    conf.write_text(IMPATIENT.format(conf=str(ROOT / "gunicorn.conf.py")))
    site = make_site(NOTIWAY_JOBS="web").start("-c", str(conf))
    visitor = new_visitor(site)
    burst(visitor, 40, size=SIZE)
    request = f"GET /notifications HTTP/1.1\r\nHost: x\r\nCookie: {visitor.cookie}\r\nAccept: application/json\r\n\r\n"
    with socket.create_connection(("127.0.0.1", site.port), PATIENCE_SECONDS) as stream:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        stream.sendall(request.encode() * 100)
        process = psutil.Process(site.worker_pid())
        ours = stream.getsockname()[1]
        wait_until(lambda: all(each.raddr.port != ours for each in process.net_connections() if each.raddr))
    assert visitor.get("/notifications").ok
