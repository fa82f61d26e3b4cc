"""Hearing: what is about to be heard is held, and what nobody hears is let go after a while."""

import pytest

from notiway.live.delivery.hearing import LINGER_SECONDS, Hearing
from notiway.live.delivery.listeners import Listeners
from notiway.values.errors import BrokerDown


class Reactor:
    """Runs calls at once, and tickers when it is told to."""

    def ticker(self, seconds, tick):
        self.tick = tick
        self.begun = 0

        def begin():
            self.begun += 1

        return begin

    def call_soon(self, call, *args):
        call(*args)


class Broker:
    def __init__(self):
        self.heard, self.is_away = set(), False

    def listen(self, audiences):
        new = not self.heard.issuperset(audiences)
        self.heard |= set(audiences)
        if self.is_away:
            raise BrokerDown("away")
        return new

    def unlisten(self, audiences):
        self.heard -= set(audiences)


@pytest.fixture
def reactor():
    return Reactor()


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def clock():
    return [100.0]


@pytest.fixture
def listeners():
    return Listeners()


@pytest.fixture
def hearing(reactor, broker, listeners, clock):
    made = Hearing(reactor, listeners, lambda: clock[0])
    made.ask_of(broker)
    return made


class Connection:
    def __init__(self, *audiences):
        self.audiences = audiences


def test_it_is_heard_from_the_pin_to_a_while_after_the_last_listener(hearing, broker, listeners, reactor, clock):
    client = Connection("global", "user:1")
    assert hearing.pin(client.audiences)
    listeners.enter(client)
    hearing.unpin(client.audiences)
    clock[0] += 10 * LINGER_SECONDS
    reactor.tick()
    assert broker.heard == {"global", "user:1"}
    listeners.leave(client)
    assert reactor.tick(), "it looks again"
    assert broker.heard == {"global", "user:1"}
    clock[0] += LINGER_SECONDS
    assert not reactor.tick()
    assert broker.heard == set()


def test_who_comes_back_in_time_asks_for_nothing(hearing, broker, listeners, reactor, clock):
    client = Connection("user:1")
    hearing.pin(client.audiences)
    listeners.enter(client)
    hearing.unpin(client.audiences)
    listeners.leave(client)
    clock[0] += LINGER_SECONDS - 1
    assert not hearing.pin(client.audiences)
    clock[0] += 2
    reactor.tick()
    assert broker.heard == {"user:1"}, "somebody is about to listen"


def test_what_is_pinned_again_while_it_is_idle_stays(hearing, broker, reactor, clock):
    with hearing.pinned(["user:1"]) as is_new:
        assert is_new
    clock[0] += LINGER_SECONDS
    with hearing.pinned(["user:1"]) as is_new:
        assert not is_new
        reactor.tick()
        assert broker.heard == {"user:1"}
    clock[0] += LINGER_SECONDS
    reactor.tick()
    assert broker.heard == set()


def test_two_pins_are_two(hearing, broker, reactor, clock):
    hearing.pin(["a"])
    hearing.pin(["a"])
    hearing.unpin(["a"])
    clock[0] += 2 * LINGER_SECONDS
    reactor.tick()
    assert broker.heard == {"a"}


def test_while_the_broker_is_away_nobody_fails_and_everything_is_new(hearing, broker):
    broker.is_away = True
    assert hearing.pin(["a"])
    assert hearing.pin(["a"])


def test_within_one_process_nobody_is_asked(reactor, listeners):
    alone = Hearing(reactor, listeners)
    assert not alone.pin(["a"])
    alone.unpin(["a"])
    assert listeners.on_empty is None
    assert reactor.begun == 0
