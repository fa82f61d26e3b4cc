"""Reactor: one loop for every socket; others only hand over calls."""

import gc
import threading
from pathlib import Path

import pytest
from pair import WAIT_SECONDS, json_format, make_pair, settle
from servers import wait_until

from notiway.live import reactor as reactor_module
from notiway.live.reactor import Reactor
from notiway.live.state import State

OPEN_FILES = Path("/proc/self/fd")


@pytest.fixture
def reactor(monkeypatch):
    monkeypatch.setattr(reactor_module, "IDLE_SECONDS", 60.0)  # a missed wake-up is then a test that hangs
    made = Reactor()
    made.start()
    yield made
    made.stop()
    made._thread.join(WAIT_SECONDS)
    assert not made._thread.is_alive()


def watch(reactor, on_message=None):
    connection, client = make_pair(json_format(on_message))
    reactor.pressure = None  # nobody counts here
    connection.owner = reactor
    connection.release([])
    reactor.call_soon(reactor.watch, connection)
    return connection, client


def test_calls_from_one_thread_keep_their_order(reactor):
    seen = []
    for number in range(1_000):
        reactor.call_soon(seen.append, number)
    settle(reactor)
    assert seen == list(range(1_000))


def test_no_call_is_lost_whichever_thread_it_comes_from(reactor):
    seen = []
    threads = [
        threading.Thread(target=lambda: [reactor.call_soon(seen.append, number) for number in range(500)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: len(seen) == 4_000)


def test_calls_before_the_start_are_done_first():
    early = Reactor()
    seen = []
    early.call_soon(seen.append, "early")
    early.start()
    early.call_soon(seen.append, "late")
    settle(early)
    early.stop()
    assert seen == ["early", "late"]


def test_each_call_wakes_an_idle_loop(reactor):
    for _ in range(50):
        settle(reactor)


def test_a_fault_in_a_call_a_timer_or_a_job_stops_nothing(reactor, caplog):
    def fail():
        raise ValueError("deliberate")

    def failing_job():
        yield
        raise ValueError("deliberate")

    reactor.call_soon(fail)
    reactor.call_soon(reactor.every, 0.01, fail)
    reactor.call_soon(reactor.add_job, failing_job())
    wait_until(lambda: caplog.text.count("deliberate") >= 3)
    settle(reactor)


def test_a_timer_comes_again_and_again(reactor):
    seen = []
    reactor.call_soon(reactor.every, 0.005, lambda: seen.append(1))
    wait_until(lambda: len(seen) >= 3)


def test_between_the_slices_of_a_job_other_work_is_done(reactor):
    order = []

    def job():
        for number in range(3):
            order.append(number)
            reactor.call_soon(order.append, f"call {number}")
            yield

    reactor.call_soon(reactor.add_job, job())
    settle(reactor)
    wait_until(lambda: len(order) == 6)
    assert order == [0, "call 0", 1, "call 1", 2, "call 2"]


def test_what_a_client_sends_is_handed_on(reactor):
    seen = []
    connection, client = watch(reactor, lambda each, text: seen.append((each, text)))
    connection.missed = 1
    client.send("hello")
    wait_until(lambda: seen == [(connection, "hello")])
    assert connection.missed == 0
    client.close()
    wait_until(lambda: connection.state is State.CLOSED)
    assert reactor._by_fd == {}


def test_what_did_not_fit_is_written_when_the_client_reads(reactor):
    connection, client = watch(reactor)
    texts = [f"{number} " + "x" * 1_000 for number in range(40)]
    for text in texts:
        reactor.call_soon(connection.offer, connection.format.transport.encode(text))
    settle(reactor)
    assert connection.backlog
    assert client.read(40) == texts
    wait_until(lambda: connection.backlog is None)
    settle(reactor)
    client.close()


def test_a_client_that_is_paused_is_not_read_from(reactor):
    seen = []
    connection, client = watch(reactor, lambda each, text: seen.append(text))
    reactor.call_soon(reactor.pause, connection, True)
    settle(reactor)
    client.send("waits")
    settle(reactor)
    assert seen == []
    reactor.call_soon(reactor.pause, connection, False)
    wait_until(lambda: seen == ["waits"])
    client.close()


def test_a_client_that_is_paused_is_not_read_from_while_something_waits_for_it(reactor):
    seen = []
    connection, client = watch(reactor, lambda each, text: seen.append(text))
    reactor.call_soon(reactor.pause, connection, True)
    texts = [f"{number} " + "x" * 1_000 for number in range(40)]
    for text in texts:
        reactor.call_soon(connection.offer, connection.format.transport.encode(text))
    settle(reactor)
    assert connection.backlog
    client.send("waits")
    settle(reactor)
    assert client.read(40) == texts
    wait_until(lambda: connection.backlog is None)
    settle(reactor)
    assert seen == []
    reactor.call_soon(reactor.pause, connection, False)
    wait_until(lambda: seen == ["waits"])
    client.close()


def test_who_does_not_end_its_side_after_goodbye_is_dropped(monkeypatch):
    monkeypatch.setattr(reactor_module, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(reactor_module, "FAREWELL_SECONDS", 0.0)
    made = Reactor()
    made.start()
    connection, client = watch(made)
    made.call_soon(connection.close, 1000, "bye")
    wait_until(lambda: connection.state is State.CLOSED)
    assert client.read_all() == [("close", 1000)]
    made.stop()
    client.close()


def test_a_number_that_is_used_again_belongs_to_the_new_connection(reactor):
    gc.collect()  # what other tests have left behind must not give its numbers back in the middle of this one
    connection, client = watch(reactor)
    settle(reactor)
    number = connection.fd
    reactor.call_soon(connection.lost)
    settle(reactor)
    again, second = watch(reactor)
    settle(reactor)
    assert again.fd == number, "the kernel gives the lowest number"
    reactor.call_soon(reactor.forget, connection)
    reactor.call_soon(reactor.want_write, connection, True)
    settle(reactor)
    assert reactor._by_fd == {number: again}
    for each in (client, second):
        each.close()


def test_a_reactor_gives_its_files_back():
    def start_and_stop():
        made = Reactor()
        made.start()
        made.stop()
        made._thread.join(WAIT_SECONDS)

    start_and_stop()
    gc.collect()
    before = len(list(OPEN_FILES.iterdir()))
    for _ in range(5):
        start_and_stop()
    gc.collect()
    assert len(list(OPEN_FILES.iterdir())) <= before


def test_sockets_and_timers_get_their_turn_however_many_calls_wait(reactor, monkeypatch):
    monkeypatch.setattr(reactor_module, "CALLS_AT_ONCE", 10)
    done = []
    reactor.call_soon(reactor.every, 0, lambda: done.append("timer"))
    reactor.call_soon(lambda: [reactor.call_soon(done.append, number) for number in range(100)])
    wait_until(lambda: len(done) - done.count("timer") == 100)
    assert [each for each in done if each != "timer"] == list(range(100))
    stretches = "".join("t" if each == "timer" else "c" for each in done).split("t")
    assert max(map(len, stretches)) <= 10
