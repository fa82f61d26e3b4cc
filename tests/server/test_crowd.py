"""A thousand sockets: the database pool, the process and other requests do not feel them."""

import contextlib
import selectors
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import requests
from conftest import DATABASE
from servers import wait_until

from server.raw import upgrade
from server.talk import burst, is_open_elsewhere, metric, new_visitor

CROWD = 1_000
AT_ONCE = 40
POOL = 5  # NOTIWAY_DATABASE_POOL
CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'notiway'"
FAN_OUTS = 500
SIZE = 1_000


class Crowd:
    """Sockets that read all the time, in a thread, and only count the bytes."""

    def __init__(self, visitor):
        self.received = 0
        self._doors = contextlib.ExitStack()
        self._selector = selectors.DefaultSelector()
        self._over = threading.Event()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for client in pool.map(lambda _: self._enter(visitor), range(CROWD)):
                client.stream.setblocking(False)
                self._selector.register(client.stream, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _enter(self, visitor):
        status, client = self._doors.enter_context(upgrade(visitor.site, Cookie=visitor.cookie))
        assert status == 101
        return client

    def _read(self):
        while not self._over.is_set():
            for key, _ in self._selector.select(0.1):
                with contextlib.suppress(BlockingIOError):
                    self.received += len(key.fileobj.recv(1 << 20))

    def close(self):
        self._over.set()
        self._thread.join()
        self._selector.close()
        self._doors.close()


@pytest.fixture(scope="module")
def crowded(make_site):
    """A site with few database connections, and its crowd: (site, visitor, crowd, what ran before)."""
    site = make_site(NOTIWAY_DATABASE_POOL=POOL, NOTIWAY_MAX_CONNECTIONS_PER_USER=CROWD).start()
    with new_visitor(site) as visitor:
        before = requests.get(f"{site.url}/test/running", timeout=60).json()
        crowd = Crowd(visitor)
        is_open_elsewhere(site, CROWD)
        yield site, visitor, crowd, before
        crowd.close()
        is_open_elsewhere(site, 0)


def open_files(site):
    """Where the open files of the worker lead."""
    found = []
    for entry in Path(f"/proc/{site.worker_pid()}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(str(entry.readlink()))
    return found


def test_readyz_answers(crowded):
    site, *_ = crowded
    assert requests.get(f"{site.url}/readyz", timeout=60).json() == {"status": "ready"}


def test_the_database_connections_stay_within_the_pool(crowded):
    site, *_ = crowded
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda _: requests.get(f"{site.url}/readyz", timeout=60).status_code, range(AT_ONCE * 4))
        assert set(answers) == {200}
    files = open_files(site)
    assert sum(each.startswith("socket:") for each in files) >= CROWD
    if DATABASE == "sqlite":
        assert 1 <= files.count(str(site.folder / "notiway.db")) <= POOL
        return
    with psycopg.connect(site.environment["NOTIWAY_DATABASE_URL"]) as asked:
        (count,) = asked.execute(CONNECTED).fetchone()
    assert 1 <= count <= POOL


def test_a_socket_holds_no_thread_and_no_greenlet(crowded):
    site, _, _, before = crowded
    now = requests.get(f"{site.url}/test/running", timeout=60).json()
    assert now["threads"] - before["threads"] < 50
    assert now["greenlets"] - before["greenlets"] < 50


def test_everyone_hears_and_other_requests_are_answered_meanwhile(crowded):
    site, visitor, crowd, _ = crowded
    wanted = CROWD * FAN_OUTS * SIZE

    def all_heard():
        return crowd.received - before > wanted

    with requests.Session() as neighbour:
        neighbour.get(f"{site.url}/healthz", timeout=60)
        before, began = crowd.received, time.perf_counter()
        sender = threading.Thread(target=lambda: burst(visitor, FAN_OUTS, size=SIZE, persist=False))
        sender.start()
        taken = []
        while not all_heard():
            asked = time.perf_counter()
            assert neighbour.get(f"{site.url}/healthz", timeout=60).ok
            taken.append(time.perf_counter() - asked)
        duration = time.perf_counter() - began
        sender.join()
    assert len(taken) >= 10, "requests were answered between the sends, not after them"
    assert max(taken) < duration / 2
    assert wait_until(lambda: metric(site, 'notiway_connections{wire="json"}') == CROWD), "nobody was dropped"
