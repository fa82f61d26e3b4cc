"""The pool of PostgreSQL connections is bounded, meets restarted servers again, and lets nobody wait for another."""

import json
import subprocess
import sys
import threading

import psycopg
import pytest
from relay import Relay
from servers import wait_until

from notiway.store.database import open_database
from notiway.store.engine import pool as pooling
from notiway.store.engine.guard import guard_of
from notiway.store.engine.server_address import Patience
from notiway.values.errors import Unavailable

pytestmark = pytest.mark.postgresql

SLOW_UNDER_GEVENT = """
import gevent.monkey
gevent.monkey.patch_all()
import json, sys, time
import gevent
from notiway.store.database import open_database

opened = open_database(sys.argv[1], pool=3)
ticks = []

def tick():
    while True:
        gevent.sleep(0.005)
        ticks.append(time.perf_counter())

def ask():
    with opened.connection_context():
        opened.execute_sql("SELECT pg_sleep(0.3)")

ticker = gevent.spawn(tick)
began = time.perf_counter()
gevent.joinall([gevent.spawn(ask) for _ in range(6)], raise_error=True)
within = [each for each in ticks if began < each]
print(json.dumps({"seconds": time.perf_counter() - began, "ticks": len(within), "open": len(opened._connections)}))
"""


@pytest.fixture
def url(postgres):
    url = postgres.fresh()
    yield url
    postgres.give_back(url)


@pytest.fixture
def opened(url):
    opened = open_database(url, pool=2)
    yield opened
    opened.close_all()


def pid(opened):
    return opened.execute_sql("SELECT pg_backend_pid()").fetchone()[0]


def end(url, *pids):
    """What a restart of the server does to its connections."""
    with psycopg.connect(url, autocommit=True) as other:
        for each in pids:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (each,))


def test_a_server_knows_who_is_connected_and_when_to_give_up(url):
    opened = open_database(f"{url}?application_name=shop", patience=Patience(12, 3, 40))
    shown = [
        opened.execute_sql(f"SHOW {name}").fetchone()[0]
        for name in ("application_name", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    ]
    assert shown == ["shop", "12s", "3s", "40s"]
    opened.close_all()
    opened = open_database(url)
    assert opened.execute_sql("SHOW application_name").fetchone() == ("notiway",)
    opened.close_all()


def test_waits_are_cooperative_under_gevent(url):
    done = subprocess.run([sys.executable, "-c", SLOW_UNDER_GEVENT, url], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["open"] == 3, "no more than the pool allows"
    # Each tick is a turn of the loop during the two rounds of sleeping queries; without cooperation there is none.
    assert found["ticks"] > 20


def test_connections_that_the_server_ended_are_not_given_out(opened, url):
    first = pid(opened)
    opened.close()
    end(url, first)
    opened.connect()
    assert pid(opened) != first


def test_whoever_keeps_a_connection_gets_another_one_after_the_fault(opened, url):
    with opened.connection_context():
        end(url, pid(opened))
        with pytest.raises(Unavailable):
            pid(opened)
        assert pid(opened), "the next statement, in the same block"
        with pytest.raises(Unavailable), opened.atomic():
            end(url, pid(opened))
            with pytest.raises(Unavailable):
                pid(opened)
            with pytest.raises(Unavailable):
                pid(opened)  # not on another connection: half of the transaction would be missing
        with opened.atomic():
            assert pid(opened)
    assert opened.is_closed(), "and the block still closes it"


def test_a_server_that_restarts_is_waited_for(postgres, url):
    with Relay(postgres.port) as relay:
        opened = open_database(url.replace(f":{postgres.port}/", f":{relay.port}/"), pool=2)
        assert pid(opened)
        opened.close()
        relay.stop()
        threading.Timer(0.5, relay.start).start()
        assert pid(opened), "refused for half a second"
        opened.close_all()


def test_but_not_for_long(postgres, url, monkeypatch):
    monkeypatch.setattr(pooling, "RESTART_SECONDS", 0.2)
    with Relay(postgres.port) as relay:
        opened = open_database(url.replace(f":{postgres.port}/", f":{relay.port}/"), pool=2)
        assert pid(opened)
        opened.close()
        relay.stop()
        tries = []
        monkeypatch.setattr(pooling.PLAIN, "_connect", counted(pooling.PLAIN._connect, tries))
        with pytest.raises(Unavailable):
            opened.connect()
        first = len(tries)
        assert first > 1
        with pytest.raises(Unavailable):
            opened.connect()
        assert len(tries) == first + 1, "once it has been away for so long, each try is the only one"
        relay.start()
        assert pid(opened)
        opened.close_all()


def counted(connect, tries):
    def count(self):
        tries.append(1)
        return connect(self)

    return count


def test_a_server_that_was_never_there_is_not_tried_twice(monkeypatch):
    tries = []
    monkeypatch.setattr(pooling.PLAIN, "_connect", counted(pooling.PLAIN._connect, tries))
    opened = open_database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(Unavailable):
        opened.connect()
    assert len(tries) == 1


def test_while_one_connects_the_others_take_and_give_back(opened, monkeypatch):
    opened.connect()
    held, going = threading.Event(), threading.Event()
    connect = pooling.PLAIN._connect

    def slowly(self):
        going.set()
        assert held.wait(30)
        return connect(self)

    monkeypatch.setattr(pooling.PLAIN, "_connect", slowly)
    other = threading.Thread(target=lambda: opened.execute_sql("SELECT 1") and opened.close())
    other.start()
    assert going.wait(30)
    done = threading.Event()

    def work():
        for _ in range(3):
            with opened.connection_context():
                opened.execute_sql("SELECT 1")
        done.set()

    opened.close()
    third = threading.Thread(target=work)
    third.start()
    assert done.wait(30), "nobody waits for the connect of another"
    held.set()
    other.join(30)
    third.join(30)


def test_a_pool_in_use_is_waited_for_and_then_refused(opened):
    release, taken = threading.Event(), []

    def hold():
        with opened.connection_context():
            taken.append(1)
            release.wait(30)

    holders = [threading.Thread(target=hold) for _ in range(2)]
    for each in holders:
        each.start()
    wait_until(lambda: len(taken) == 2)
    with pytest.raises(Unavailable, match="in use") as caught:
        guard_of(opened).connect_within(0.05)
    assert caught.value.status == 503
    threading.Timer(0.1, release.set).start()
    assert opened.execute_sql("SELECT 1").fetchone() == (1,), "whoever waits gets the one that is given back"
    for each in holders:
        each.join(30)


def test_a_transaction_that_was_left_open_is_not_passed_on(opened):
    opened.connect()
    opened.connection().cursor().execute("BEGIN")
    first = opened.connection()
    opened.close()
    opened.connect()
    assert opened.connection() is not first or first.info.transaction_status == 0
