"""Inbound: messages of one client in order, those of several at once, never on the reactor."""

import itertools
import threading
from types import SimpleNamespace

import pytest
from pair import WAIT_SECONDS
from servers import wait_until

from notiway.live.carriers import inbound as module
from notiway.live.carriers.inbound import Inbound
from notiway.live.state import State
from notiway.values.close_codes import CloseCode


class Reactor:
    """Pauses and resumes reading at once; its timer is run by hand."""

    def __init__(self):
        self.paused = []

    def pause(self, connection, paused):
        connection.paused = paused
        self.paused.append(paused)

    def ticker(self, seconds, function):
        self.tick = function
        return lambda: None


class SPEECH:
    """Stands for a connection's format."""

    handle = None


class Connection(SimpleNamespace):
    def close(self, code, reason):
        self.closed = code


@pytest.fixture
def reactor():
    return Reactor()


@pytest.fixture
def now():
    """What the clock says; a list of one, to be moved by hand."""
    return [100.0]


@pytest.fixture
def inbound(reactor, now):
    """Hands messages to a function, which it binds to the connections that are made afterwards."""
    made = []

    def make(handle, rate=1e6):
        SPEECH.handle = staticmethod(handle)
        made.append(Inbound(reactor, rate, clock=lambda: now[0]))
        return made[-1]

    yield make
    for each in made:
        each.close()
        each._pool.shutdown()


NUMBERS = itertools.count()


def connection(user_id="ada"):
    made = {"mail": None, "closed": None, "format": SPEECH, "id": str(next(NUMBERS)), "user_id": user_id}
    return Connection(**made, paused=False, state=State.OPEN, backlog=None)


def test_the_messages_of_one_client_stay_in_order(inbound):
    seen, one = [], connection()
    box = inbound(lambda each, text: seen.append(text))
    for number in range(500):
        box.put(one, str(number))
    wait_until(lambda: len(seen) == 500)
    assert seen == [str(number) for number in range(500)]
    wait_until(lambda: one.mail is None)


def test_one_client_never_waits_for_another(inbound):
    go, seen = threading.Event(), []

    def handle(each, text):
        if text == "slow":
            assert go.wait(WAIT_SECONDS)
        seen.append(text)

    box = inbound(handle)
    box.put(connection(), "slow")
    box.put(connection(), "quick")
    wait_until(lambda: seen == ["quick"])
    go.set()
    wait_until(lambda: seen == ["quick", "slow"])


def test_messages_are_not_handled_where_they_are_put(inbound):
    threads = []
    box = inbound(lambda each, text: threads.append(threading.current_thread()))
    box.put(connection(), "x")
    wait_until(lambda: threads)
    assert threads[0] is not threading.current_thread()


def test_a_client_whose_messages_wait_is_not_read_from_until_they_are_handled(inbound, reactor, now):
    go, seen, one = threading.Event(), [], connection()
    box = inbound(lambda each, text: (go.wait(WAIT_SECONDS), seen.append(text)))
    for number in range(module.PAUSE_AT + 10):
        box.put(one, str(number))
    assert reactor.paused == [True]
    now[0] += 1
    reactor.tick()
    assert one.paused
    go.set()
    wait_until(lambda: len(seen) == module.PAUSE_AT + 10)
    now[0] += 1
    reactor.tick()
    assert not one.paused


def test_connections_take_turns_a_message_each(inbound):
    """A neighbour who says a thousand things at once delays nobody by more than one of them for each worker."""
    go, seen = threading.Event(), []

    def handle(each, text):
        go.wait(WAIT_SECONDS)
        seen.append(text)

    box = inbound(handle)
    talkers = [connection() for _ in range(module.WORKERS)]
    for number in range(100):
        for talker in talkers:
            box.put(talker, f"flood {number}")
    quiet = connection("bob")
    box.put(quiet, "hello")
    go.set()
    wait_until(lambda: "hello" in seen)
    assert seen.index("hello") <= 3 * module.WORKERS
    wait_until(lambda: len(seen) == 100 * module.WORKERS + 1)


def test_what_a_closed_connection_had_asked_for_is_not_done(inbound):
    go, seen, one = threading.Event(), [], connection()
    box = inbound(lambda each, text: (go.wait(WAIT_SECONDS), seen.append(text)))
    for number in range(20):
        box.put(one, str(number))
    one.state = State.CLOSED
    go.set()
    wait_until(lambda: one.mail is None)
    assert len(seen) <= 1


def test_a_client_that_says_too_much_is_read_from_more_slowly_and_is_not_refused(inbound, reactor, now):
    seen, one = [], connection()
    box = inbound(lambda each, text: seen.append(text), rate=10)
    burst = 10 * module.BURST_SECONDS
    for number in range(burst):
        box.put(one, str(number))
        wait_until(lambda: one.mail is None)
    assert not one.paused
    for number in range(5):
        box.put(one, f"more {number}")
    assert one.paused
    now[0] += 0.05
    reactor.tick()
    assert one.paused, "five messages at ten a second take half a second"
    now[0] += 0.5
    reactor.tick()
    assert not one.paused
    wait_until(lambda: len(seen) == burst + 5)
    assert one.closed is None


def test_the_connections_of_one_user_share_what_the_user_may_say(inbound, reactor, now):
    box = inbound(lambda each, text: None, rate=10)
    tabs = [connection("ada") for _ in range(20)]
    for _ in range(10 * module.BURST_SECONDS * module.USER_FACTOR // len(tabs)):
        for tab in tabs:
            box.put(tab, "x")
    assert not any(tab.paused for tab in tabs)
    box.put(tabs[0], "one more")
    box.put(connection("bob"), "x")
    assert reactor.paused == [True]


def test_pings_count_for_a_part_of_a_message(inbound, reactor):
    one = connection()
    box = inbound(lambda each, text: None, rate=10)
    box.control(one, int(10 * module.BURST_SECONDS / module.CONTROL_COST))
    assert not one.paused
    box.control(one, 1)
    assert one.paused


def test_only_the_buckets_of_busy_clients_are_kept(inbound, reactor, now):
    box = inbound(lambda each, text: None, rate=10)
    for number in range(module.SWEEP_BUCKETS):
        box.control(connection(str(number)), 1)
    assert len(box._buckets) == 2 * module.SWEEP_BUCKETS
    now[0] += 60
    reactor.tick()
    assert len(box._buckets) == 0


def test_who_sends_without_end_is_closed(inbound, monkeypatch):
    monkeypatch.setattr(module, "MAIL_LIMIT", 50)
    go, one = threading.Event(), connection()
    box = inbound(lambda each, text: go.wait(WAIT_SECONDS))
    for number in range(60):
        box.put(one, str(number))
    assert one.closed == CloseCode.NOT_ALLOWED
    go.set()


def test_a_fault_with_one_message_harms_no_other(inbound, caplog):
    seen, one = [], connection()

    def handle(each, text):
        if text == "bad":
            raise ValueError("deliberate")
        seen.append(text)

    box = inbound(handle)
    for text in ("a", "bad", "b"):
        box.put(one, text)
    wait_until(lambda: seen == ["a", "b"])
    assert caplog.text.count("deliberate") >= 1


def test_a_client_that_has_much_to_read_yet_is_served_when_it_has_taken_it(inbound, reactor):
    """Else it could ask for more and more, and fill the memory that all share."""
    seen, one, other = [], connection(), connection()
    box = inbound(lambda each, text: seen.append(text))
    one.backlog = SimpleNamespace(total=module.BEHIND_BYTES)
    box.put(one, "subscribe")
    box.put(other, "read")
    wait_until(lambda: seen == ["read"])
    wait_until(lambda: box._behind == [one])
    reactor.tick()
    wait_until(lambda: box._behind == [one])
    one.backlog = None
    reactor.tick()
    wait_until(lambda: seen == ["read", "subscribe"])
    wait_until(lambda: one.mail is None)


def test_what_a_client_asked_for_that_went_before_it_had_read_is_dropped(inbound, reactor):
    seen, one = [], connection()
    box = inbound(lambda each, text: seen.append(text))
    one.backlog = SimpleNamespace(total=module.BEHIND_BYTES)
    box.put(one, "subscribe")
    wait_until(lambda: box._behind == [one])
    one.state = State.CLOSED
    reactor.tick()
    wait_until(lambda: one.mail is None)
    assert seen == []
    assert box._behind == []
