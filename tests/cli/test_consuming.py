"""The consume command: takes envelopes until it is told to stop, and says what it did."""

import os
import signal
import sys

import pytest

from notiway.gateway import stream_consumer
from notiway.gateway.stream_consumer import Tally


@pytest.fixture(autouse=True)
def handlers():
    """The command takes SIGTERM and SIGINT for itself; the test runner wants them back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def consumers(monkeypatch):
    """What the consumers were made with; each runs until the signal that it sends itself."""
    made = []

    class Consumer:
        number = signal.SIGTERM

        def __init__(self, *given):
            made.append(given)

        def run(self, is_stopped):
            assert not is_stopped()
            os.kill(os.getpid(), self.number)
            assert is_stopped()
            return Tally(taken=3, duplicates=1, dead=2)

    monkeypatch.setattr(stream_consumer, "Consumer", Consumer)
    return made


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_consumes_until_a_signal_and_says_what_it_did(notiway, consumers, number):
    stream_consumer.Consumer.number = number
    result = notiway("consume", "redis://cache/0")
    assert result.exit_code == 0, result.output
    assert "Taking envelopes from notiway" in result.output
    assert "Took 3 (1 were duplicates), put 2 aside" in result.output


def test_stream_and_patience_are_those_that_are_given(notiway, consumers, app):
    notiway("consume", "redis://cache/0", "--stream", "orders", "--claim-after", "5")
    assert consumers == [(app.extensions["notiway"], "redis://cache/0", "orders", 5.0)]


def test_it_says_when_open_pages_will_not_hear_of_what_it_takes(notiway, consumers):
    assert "heartbeat" in notiway("consume", "redis://cache/0").stderr


def test_without_the_driver_it_says_what_to_install(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "notiway.gateway.stream_consumer", None)
    assert "pip install 'notiway[redis]'" in refused(1, "consume", "redis://cache/0")


@pytest.mark.parametrize("words", [(), ("redis://cache/0", "--claim-after", "0")])
def test_what_it_is_not_given_right_is_refused(refused, consumers, words):
    assert "Usage" in refused(2, "consume", *words)
    assert consumers == []
