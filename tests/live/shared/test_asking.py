"""Asking: whoever is away is not asked all the time, and the log says so once."""

import logging

import pytest

from notiway.live.shared.asking import AWAY_SECONDS, Asking
from notiway.values.errors import BrokerDown


class Sometimes:
    """A client that answers, or does not."""

    def __init__(self):
        self.is_there = True
        self.asked = 0

    def ping(self):
        self.asked += 1
        if not self.is_there:
            raise BrokerDown("nobody there")
        return "pong"


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def asking(clock):
    return Asking(Sometimes(), lambda: clock[0])


def ask(asking):
    return asking.ask(lambda client: client.ping(), lambda: "alone")


def test_its_answer_is_the_answer(asking):
    assert ask(asking) == "pong"
    assert asking.need(lambda client: client.ping()) == "pong"
    assert not asking.is_away


def test_while_it_is_away_this_process_answers_and_asks_only_now_and_then(asking, clock):
    asking.client.is_there = False
    assert [ask(asking) for _ in range(5)] == ["alone"] * 5
    assert asking.client.asked == 1
    with pytest.raises(BrokerDown):
        asking.need(lambda client: client.ping())
    assert asking.client.asked == 1
    clock[0] += AWAY_SECONDS
    assert not asking.is_away
    assert ask(asking) == "alone"
    assert asking.client.asked == 2


def test_the_log_says_once_that_it_is_away_and_once_that_it_is_back(asking, clock, caplog):
    with caplog.at_level(logging.WARNING, logger="notiway"):
        asking.client.is_there = False
        for _ in range(3):
            ask(asking)
            clock[0] += AWAY_SECONDS
        asking.client.is_there = True
        for _ in range(3):
            assert ask(asking) == "pong"
    assert ["does not answer" in record.message for record in caplog.records] == [True, False]
    assert "NOTIWAY_BROKER_URL" in caplog.records[0].message


def test_what_is_no_fault_of_redis_is_raised(asking):
    with pytest.raises(KeyError):
        asking.ask(lambda client: {}["nothing"], lambda: "alone")
    assert not asking.is_away
