"""The Redis broker, beyond the contract of all brokers: several processes, and a Redis that fails."""

import os
import signal
import socket
import threading
import time

import pytest
from servers import free_port, redis_process, wait_until

from notiway.live.broker import reader, redis_broker
from notiway.live.broker.redis_client import open_client
from notiway.values.errors import BrokerDown
from notiway.values.event import Event

from .places import Ear, event

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def server():
    with redis_process() as running:
        yield running


@pytest.fixture
def open_ear(server):
    opened = []

    def make(url: str = server.url) -> Ear:
        opened.append(Ear(url).start())
        return opened[-1]

    yield make
    for each in opened:
        each.broker.close()


@pytest.fixture
def two(open_ear):
    return open_ear(), open_ear()


@pytest.fixture
def admin(server):
    with open_client(server.url) as client:
        yield client


def test_each_process_hears_what_it_listens_to_and_nothing_else(two):
    here, there = two
    here.broker.listen(["global", "user:1"])
    there.broker.listen(["global", "user:2"])
    there.broker.publish([event(1, "user:1"), event(2, "user:2"), event(3)])
    here.wait(2), there.wait(2)
    assert (here.ids(), there.ids()) == ([1, 3], [2, 3])


def test_a_connection_is_heard_by_its_node_only_and_by_the_one_that_holds_it(two):
    here, there = two
    own, foreign = f"connection:{here.broker.node}.a", f"connection:{there.broker.node}.b"
    here.broker.listen([own, foreign])  # the second got its id at the other one
    there.broker.publish([event(1, own), event(2, foreign)])
    here.wait(2), there.wait(1)
    assert here.ids() == [1, 2]
    assert there.ids() == [2], "its hub knows no such connection"


def test_databases_of_one_redis_are_apart(server, open_ear):
    here, other = open_ear(), open_ear(server.url.replace("/0", "/1"))
    for each in (here, other):
        each.broker.listen(["global"])
    other.broker.publish([event(1)])
    here.broker.publish([event(2)])
    here.wait(1), other.wait(1)
    assert (here.ids(), other.ids()) == ([2], [1])


def test_what_is_let_go_is_heard_no_more_and_may_be_heard_again(two):
    here, there = two
    here.broker.listen(["user:1", "global"])
    here.broker.unlisten(["user:1"])
    wait_until(lambda: not there.broker.heard_among(["user:1"]))
    there.broker.publish([event(1, "user:1"), event(2)])
    here.wait(1)
    assert here.broker.listen(["user:1"])
    there.broker.publish([event(3, "user:1")])
    here.wait(2)
    assert here.ids() == [2, 3]


def test_who_is_heard_is_known_in_one_round_trip_for_hundreds(two):
    here, there = two
    users = [f"user:{number}" for number in range(2_000)]
    here.broker.listen(users[::10])
    assert there.broker.heard_among(users) == set(users[::10])


def test_many_subscriptions_are_few_round_trips(server, open_ear, admin):
    here = open_ear()
    here.broker.listen(["global"])
    before = admin.info("commandstats").get("cmdstat_subscribe", {"calls": 0})["calls"]
    here.broker.listen([f"user:{number}" for number in range(10_000)])
    assert admin.info("commandstats")["cmdstat_subscribe"]["calls"] - before <= 10_000 // 500


def test_events_of_one_commit_are_one_round_trip(two, admin, monkeypatch):
    sent = []
    execute = redis_broker.RedisBroker._send
    monkeypatch.setattr(
        redis_broker.RedisBroker, "_send", lambda self, commands: (sent.append(len(commands)), execute(self, commands))
    )
    two[0].broker.publish([event(number, f"user:{number}") for number in range(300)])
    assert sent == [300]


def test_what_a_newer_version_tells_is_passed_over(two, admin, caplog):
    here, there = two
    here.broker.listen(["global"])
    admin.publish("notiway:0:global", b'{"v":2,"k":"melted","a":"global","d":{}}')
    admin.publish("notiway:0:global", b'{"v":2,"k":"sync","a":"global","d":{"n":1,"more":[2]},"t":0.0,"trace":"x"}')
    admin.publish("notiway:0:global", b'{"v":2,"purge":true}')
    for raw in (b"", b"[]", b"null", b'{"k":"sync","a":1,"d":[]}', b"\xff"):
        admin.publish("notiway:0:global", raw)
    there.broker.publish([event(2)])
    here.wait(2)
    assert here.ids() == [1, 2]
    assert caplog.text.count("'melted'") == 1


def test_a_redis_that_is_away_at_the_start_is_a_gap_when_it_comes(monkeypatch, open_ear):
    monkeypatch.setattr(reader, "BACK_OFF_SECONDS", (0.01, 0.05))
    port = free_port()
    here = open_ear(f"redis://127.0.0.1:{port}/0")
    with pytest.raises(BrokerDown):
        here.broker.listen(["global"])
    with pytest.raises(BrokerDown):
        here.broker.ping()
    with redis_process(port):
        wait_until(lambda: here.gaps == [None])
        assert not here.broker.listen(["global"]), "as it was asked before"
        wait_until(lambda: _published(here, 1))
        here.wait(1)


def _published(ear, number, audience="global"):
    try:
        ear.broker.publish([event(number, audience)])
    except BrokerDown:
        return False
    return True


def test_a_restart_is_a_gap_and_all_that_was_listened_to_is_heard_again(monkeypatch, open_ear):
    monkeypatch.setattr(reader, "BACK_OFF_SECONDS", (0.01, 0.05))
    port = free_port()
    with redis_process(port) as first:
        here = open_ear(first.url)
        users = [f"user:{number}" for number in range(1_000)]
        here.broker.listen(users)
        first.stop()
        wait_until(lambda: not here.broker._subscriptions.is_connected)
        began = time.monotonic()
        with pytest.raises(BrokerDown):
            here.broker.listen(["user:new"])
        assert time.monotonic() - began < 1.0, "nobody waits for what is known to be away"
    with redis_process(port):
        wait_until(lambda: here.gaps == [None])
        wait_until(lambda: _published(here, 7, "user:new"))
        here.broker.publish([event(8, "user:999")])
        here.wait(2)
        assert here.ids() == [7, 8]
        assert here.gaps == [None]


def test_what_was_not_taken_is_told_later_in_its_order_before_anything_newer(monkeypatch, open_ear):
    monkeypatch.setattr(reader, "BACK_OFF_SECONDS", (0.01, 0.05))
    port = free_port()
    with redis_process(port) as first:
        here = open_ear(first.url)
        here.broker.listen(["global"])
        first.stop()
        for number in range(5):
            with pytest.raises(BrokerDown):
                here.broker.publish([event(number)])
            here.broker.tell_later([event(number)])
    with redis_process(port):
        wait_until(lambda: _published(here, 5))
        here.wait(1)
        wait_until(lambda: here.ids()[-1] == 5)
    told = here.ids()
    assert told == sorted(told), "some may have been told before this process heard again: that is the gap"
    assert here.gaps == [None]


def test_what_cannot_be_kept_is_a_gap_for_those_who_should_have_heard_it(two, monkeypatch):
    here, there = two
    for each in two:
        each.broker.listen(["global"])
    monkeypatch.setattr("notiway.live.broker.later.MOST_EVENTS", 2)
    there.broker.tell_later([event(number, f"user:{number}") for number in range(4)])
    wait_until(lambda: here.gaps == [["user:0", "user:1"]])
    wait_until(lambda: there.gaps == [["user:0", "user:1"]])


@pytest.fixture
def frozen(server):
    """A Redis that stands still from `frozen()` on."""
    yield lambda: os.kill(server.pid, signal.SIGSTOP)
    os.kill(server.pid, signal.SIGCONT)


def test_while_redis_stands_still_nobody_waits_long_and_soon_nobody_waits(open_ear, frozen):
    here = open_ear()
    here.broker.listen(["global"])
    frozen()
    began = time.monotonic()
    with pytest.raises(BrokerDown):
        here.broker.publish([event(1)])
    assert time.monotonic() - began < 4.0
    began = time.monotonic()
    refused = 0
    for number in range(20):
        try:
            here.broker._breaker.note_fault()
            here.broker.publish([event(number)])
        except BrokerDown:
            refused += 1
    assert refused == 20
    assert time.monotonic() - began < 1.0


def test_a_redis_that_says_nothing_is_taken_for_dead_and_that_is_a_gap(monkeypatch, server, open_ear, frozen):
    monkeypatch.setattr(reader, "PING_SECONDS", 0.2)
    monkeypatch.setattr(reader, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(reader, "BACK_OFF_SECONDS", (0.01, 0.05))
    here = open_ear()
    here.broker.listen(["global"])
    frozen()
    wait_until(lambda: not here.broker._subscriptions.is_connected)
    os.kill(server.pid, signal.SIGCONT)
    wait_until(lambda: here.gaps == [None])
    wait_until(lambda: _published(here, 1))
    here.wait(1)


def test_silence_alone_is_no_gap(monkeypatch, open_ear):
    monkeypatch.setattr(reader, "PING_SECONDS", 0.05)
    here = open_ear()
    here.broker.listen(["global"])
    asked = threading.Event()
    asked.wait(0.5)
    here.broker.publish([event(1)])
    here.wait(1)
    assert here.gaps == []


def test_a_subscription_that_is_confirmed_too_late_is_a_gap_for_its_audience(monkeypatch, server, open_ear, frozen):
    monkeypatch.setattr(redis_broker, "CONFIRM_SECONDS", 0.1)
    here = open_ear()
    here.broker._subscriptions.want(["notiway:0:global"])
    wait_until(lambda: here.broker._subscriptions.is_whole)
    frozen()
    with pytest.raises(BrokerDown):
        here.broker.listen(["user:1"])
    os.kill(server.pid, signal.SIGCONT)
    wait_until(lambda: here.gaps == [["user:1"]])


def test_a_process_that_is_too_slow_is_cut_off_and_that_is_a_gap(monkeypatch, server, open_ear, admin):
    monkeypatch.setattr(reader, "BACK_OFF_SECONDS", (0.01, 0.05))
    admin.config_set("client-output-buffer-limit", "pubsub 1mb 0 0")
    go_on = threading.Event()
    slow, other = Ear(server.url), open_ear()
    slow.broker.start(lambda _: go_on.wait(60), on_gap=slow.gaps.append)
    try:
        slow.broker.listen(["global"])
        big = [Event("sync", "global", {"x": "y" * 100_000}) for _ in range(200)]
        for start in range(0, len(big), 10):
            other.broker.publish(big[start : start + 10])
        wait_until(lambda: not admin.pubsub_numsub("notiway:0:global")[0][1])
        go_on.set()
        wait_until(lambda: slow.gaps == [None])
    finally:
        go_on.set()
        slow.broker.close()
        admin.config_set("client-output-buffer-limit", "pubsub 32mb 8mb 60")


def test_a_redis_that_refuses_to_subscribe_is_away_and_said_to_be(server, admin, caplog):
    admin.acl_setuser("deaf", enabled=True, passwords=["+secret"], categories=["+@all"], commands=["-subscribe"])
    ear = Ear(server.url.replace("redis://", "redis://deaf:secret@")).start()
    try:
        with pytest.raises(BrokerDown):
            ear.broker.listen(["global"])
        wait_until(lambda: "live delivery stands still" in caplog.text)
        assert "secret" not in caplog.text
    finally:
        ear.broker.close()
        admin.acl_deluser("deaf")


def test_closing_does_not_wait_for_a_redis_that_is_away():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ear = Ear(f"redis://127.0.0.1:{silent.getsockname()[1]}/0").start()
        began = time.monotonic()
        ear.broker.close()
        assert time.monotonic() - began < 5.0
