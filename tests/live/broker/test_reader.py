"""Reader: it connects, hears, and connects again; a fault in what it calls does not end it."""

import pytest
from servers import redis_process, wait_until

from notiway.live.broker import reader
from notiway.live.broker.reader import Reader
from notiway.live.broker.redis_client import open_client
from notiway.live.broker.subscriptions import Subscriptions

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def server():
    with redis_process() as running:
        yield running


@pytest.fixture
def client(server):
    with open_client(server.url) as opened:
        yield opened


@pytest.fixture
def start(client, monkeypatch):
    monkeypatch.setattr(reader, "BACK_OFF_SECONDS", (0.01, 0.05))
    started = []

    def make(take, wanted=("a",)):
        subscriptions, whole, late = Subscriptions(), [], []
        subscriptions.want(wanted)
        made = Reader(client.connection_pool.make_connection, subscriptions, take, lambda: whole.append(1), late.append)
        made.start()
        started.append(made)
        wait_until(lambda: made.is_reading)
        return made, subscriptions, whole

    yield make
    for each in started:
        each.stop()


def test_what_is_told_is_taken_whole_and_in_order(start, client):
    taken = []
    start(taken.append)
    told = [b"x" * size for size in (0, 1, 70_000, 200_000, 3)]
    for raw in told:
        client.publish("a", raw)
    wait_until(lambda: len(taken) == len(told))
    assert taken == told


def test_commands_are_sent_when_it_is_woken(start, client):
    taken = []
    made, subscriptions, _ = start(taken.append)
    ticket = subscriptions.want(["b"])
    made.wake()
    assert ticket.wait(10)
    client.publish("b", b"1")
    wait_until(lambda: taken == [b"1"])


def test_a_line_that_is_cut_is_made_anew_and_told_of(start, client):
    taken = []
    _, _, whole = start(taken.append)
    assert whole == []
    client.client_kill_filter(_type="pubsub")
    wait_until(lambda: whole == [1])
    client.publish("a", b"1")
    wait_until(lambda: taken == [b"1"])


def test_a_fault_in_taking_is_logged_and_a_gap(start, client, caplog):
    taken = []

    def take(raw):
        if raw == b"bad":
            raise RuntimeError("a fault of its own")
        taken.append(raw)

    _, _, whole = start(take)
    client.publish("a", b"bad")
    wait_until(lambda: whole == [1])
    client.publish("a", b"good")
    wait_until(lambda: taken == [b"good"])
    assert "a fault of its own" in caplog.text


def test_its_pipes_are_closed_when_it_ends(start):
    made, _, _ = start(lambda raw: None)
    made.stop()
    assert not made._thread.is_alive()
    made.wake()
