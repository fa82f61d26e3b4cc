"""A ledger for each test, and what the servers of these tests share."""

import random

import pytest
from clients.producer import Producer
from server.conftest import make_site as make_site
from server.conftest import template as template
from servers import redis_server

from chaos.ledger import Ledger
from chaos.rounds import SETTINGS


def pytest_collection_modifyitems(items):
    for item in items:
        if "chaos" in item.path.parts:
            item.add_marker(pytest.mark.server)


@pytest.fixture
def ledger(request, record_property):
    """Counts what becomes of each message; its figures are recorded, and printed at the end of the run."""
    ledger = Ledger(request.node.name)
    yield ledger
    record_property("ledger", ledger.figures())


@pytest.fixture(scope="session")
def redis_url():
    with redis_server() as url:
        yield url


@pytest.fixture
def start(make_site):
    """Starts a site of the test's own; it is gone after the test."""
    started = []

    def begin(*options, **settings):
        started.append(make_site(**(SETTINGS | settings)).start(*options))
        return started[-1]

    yield begin
    for site in started:
        site.close()


@pytest.fixture(scope="session")
def shared(make_site):
    """One site for all tests that leave it running and in order."""
    return make_site(**SETTINGS).start()


@pytest.fixture(scope="session")
def producer(shared):
    """A producer of the shared site."""
    return Producer(shared)


@pytest.fixture
def chance():
    """Chance that is the same in each run."""
    return random.Random(7)
