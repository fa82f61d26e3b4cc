"""A Redis for these tests, emptied before each, and processes that share it: each with a hub of its own."""

import os
import signal
from contextlib import contextmanager

import pytest
from pair import make_hub, settle
from servers import redis_process

from notiway.live.broker.redis_client import open_client
from notiway.live.shared.asking import Asking
from notiway.live.shared.peers import Peers

MOST = 6  # connections of a user


@pytest.fixture(scope="session")
def redis():
    with redis_process() as running:
        yield running


@pytest.fixture
def url(redis):
    client = open_client(redis.url)
    client.flushall()
    return redis.url


@pytest.fixture
def client(url):
    made = open_client(url, answer_seconds=0.5)
    yield made
    made.close()


class Process:
    """A hub, and what it tells others; told when `tick` is called, a beat with it."""

    def __init__(self, client, hub, name):
        self.hub = hub
        self.peers = Peers(Asking(client), hub, MOST)
        self.peers.begin(name)
        self.now = 0.0

    def tick(self):
        """Everything that has happened is told; what the others say of it is done."""
        settle(self.hub.reactor)
        self.now += 1.0
        self.peers._beat_at = -1.0
        self.peers.tick(self.now)
        settle(self.hub.reactor)
        settle(self.hub.reactor)


@pytest.fixture
def process(client, reactor):
    return lambda name, hub=None: Process(client, make_hub(reactor) if hub is None else hub, name)


@pytest.fixture
def frozen(redis):
    """A context in which Redis does not answer, though it is there."""

    @contextmanager
    def freeze():
        os.kill(redis.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(redis.pid, signal.SIGCONT)

    return freeze
