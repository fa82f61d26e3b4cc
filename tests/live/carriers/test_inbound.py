"""Inbound: messages of one client in order, those of several at once, never on the reactor."""

import threading
from types import SimpleNamespace

import pytest
from pair import WAIT_SECONDS
from servers import wait_until

from notiway.live.carriers import inbound as module
from notiway.live.carriers.inbound import Inbound
from notiway.values.close_codes import CloseCode


class Reactor:
    def __init__(self):
        self.paused = []

    def pause(self, connection, paused):
        self.paused.append(paused)

    def call_soon(self, function, *args):
        function(*args)


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
def mailbox(reactor):
    """Makes mailboxes that hand messages to a function, and binds it to the connections that are made afterwards."""
    made = []

    def make(handle):
        SPEECH.handle = staticmethod(handle)
        made.append(Inbound(reactor))
        return made[-1]

    yield make
    for each in made:
        each.close()
        each._pool.shutdown()


def connection():
    return Connection(mail=None, closed=None, format=SPEECH)


def test_the_messages_of_one_client_stay_in_order(mailbox):
    seen, one = [], connection()
    box = mailbox(lambda each, text: seen.append(text))
    for number in range(500):
        box.put(one, str(number))
    wait_until(lambda: len(seen) == 500)
    assert seen == [str(number) for number in range(500)]
    wait_until(lambda: one.mail is None)


def test_one_client_never_waits_for_another(mailbox):
    go, seen = threading.Event(), []

    def handle(each, text):
        if text == "slow":
            assert go.wait(WAIT_SECONDS)
        seen.append(text)

    box = mailbox(handle)
    box.put(connection(), "slow")
    box.put(connection(), "quick")
    wait_until(lambda: seen == ["quick"])
    go.set()
    wait_until(lambda: seen == ["quick", "slow"])


def test_messages_are_not_handled_where_they_are_put(mailbox):
    threads = []
    box = mailbox(lambda each, text: threads.append(threading.current_thread()))
    box.put(connection(), "x")
    wait_until(lambda: threads)
    assert threads[0] is not threading.current_thread()


def test_who_sends_too_fast_is_not_read_from_until_all_is_handled(mailbox, reactor):
    go, seen, one = threading.Event(), [], connection()
    box = mailbox(lambda each, text: (go.wait(WAIT_SECONDS), seen.append(text)))
    for number in range(module.PAUSE_AT + 10):
        box.put(one, str(number))
    assert reactor.paused
    assert all(reactor.paused)
    go.set()
    wait_until(lambda: reactor.paused[-1] is False)
    assert len(seen) == module.PAUSE_AT + 10
    assert reactor.paused.count(False) == 1


def test_who_is_read_from_again_by_accident_is_paused_again(mailbox, reactor):
    """Waiting to write makes the reactor read again as well."""
    go, one = threading.Event(), connection()
    box = mailbox(lambda each, text: go.wait(WAIT_SECONDS))
    for number in range(module.PAUSE_AT + 5):
        box.put(one, str(number))
    reactor.paused.clear()
    box.put(one, "more")
    assert reactor.paused == [True]
    go.set()


def test_who_sends_without_end_is_closed(mailbox, monkeypatch):
    monkeypatch.setattr(module, "MAIL_LIMIT", 50)
    go, one = threading.Event(), connection()
    box = mailbox(lambda each, text: go.wait(WAIT_SECONDS))
    for number in range(60):
        box.put(one, str(number))
    assert one.closed == CloseCode.NOT_ALLOWED
    go.set()


def test_a_fault_with_one_message_harms_no_other(mailbox, caplog):
    seen, one = [], connection()

    def handle(each, text):
        if text == "bad":
            raise ValueError("deliberate")
        seen.append(text)

    box = mailbox(handle)
    for text in ("a", "bad", "b"):
        box.put(one, text)
    wait_until(lambda: seen == ["a", "b"])
    box.run(lambda: handle(one, "bad"))
    box.run(lambda: handle(one, "c"))
    wait_until(lambda: seen == ["a", "b", "c"])
    assert caplog.text.count("deliberate") >= 2
