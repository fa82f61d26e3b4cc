"""Broker: one contract, run over every backend. A new one is one more line in `PLACES`."""

import threading

import pytest
from servers import wait_until

from notiway.live.broker import open_broker
from notiway.values.errors import ConfigError
from notiway.values.event import KINDS, Event

from .places import PLACES, Ear, event

pytestmark = pytest.mark.redis
MANY = 10_000


@pytest.fixture(scope="module", params=PLACES)
def url(request):
    with PLACES[request.param]() as running:
        yield running


@pytest.fixture
def open_ear(url):
    opened = []

    def make() -> Ear:
        opened.append(Ear(url))
        return opened[-1]

    yield make
    for each in opened:
        each.broker.close()


@pytest.fixture
def ear(open_ear):
    return open_ear().start()


def test_an_event_comes_back_as_it_was(ear):
    told = Event("created", "user:ünï", {"notification": {"body": {"a": [1, None, "🔔"]}}, "unread": 3}, 5.0)
    ear.broker.listen(["user:ünï"])
    ear.broker.publish([told])
    assert ear.wait(1) == [told]


def test_every_kind_of_event_is_carried(ear):
    ear.broker.listen(["global"])
    kinds = sorted(KINDS)
    ear.broker.publish([Event(kind, "global", {"x": 1}) for kind in kinds])
    assert [each.kind for each in ear.wait(len(kinds))] == kinds


def test_each_audience_hears_its_events_once_and_in_their_order(ear):
    audiences = [f"user:{number}" for number in range(7)]
    ear.broker.listen(audiences)
    for start in range(0, 700, 100):
        ear.broker.publish([event(number, audiences[number % 7]) for number in range(start, start + 100)])
    ear.wait(700)
    for number, audience in enumerate(audiences):
        assert ear.ids(audience) == list(range(number, 700, 7))


def test_a_large_event_is_carried(ear):
    ear.broker.listen(["global"])
    ear.broker.publish([Event("created", "global", {"notification": {"body": "x" * 1_000_000}})])
    assert len(ear.wait(1)[0].data["notification"]["body"]) == 1_000_000


def test_what_is_published_when_listening_is_confirmed_is_heard(ear):
    for number in range(50):
        ear.broker.listen([f"group:{number}"])
        ear.broker.publish([event(number, f"group:{number}")])
    ear.wait(50)
    assert ear.ids() == list(range(50))


def test_listening_again_to_what_is_heard_asks_for_nothing(ear):
    ear.broker.listen(["user:1", "global"])
    assert not ear.broker.listen(["global", "user:1"])


def test_publishing_and_asking_need_no_start(open_ear):
    other, commands = open_ear(), open_ear()
    commands.broker.publish([event(1)])
    commands.broker.tell_later([])
    commands.broker.ping()
    other.start()
    other.broker.listen(["global"])
    assert other.heard == []


def test_many_audiences_are_listened_to_by_many_at_once(ear):
    confirmed = []

    def open_some(start):
        for number in range(start, MANY, 40):
            ear.broker.listen([f"user:{number}", "global"])
        confirmed.append(start)

    threads = [threading.Thread(target=open_some, args=[start]) for start in range(40)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(confirmed) == 40
    ear.broker.publish([event(number, f"user:{number}") for number in range(MANY)])
    ear.wait(MANY)
    assert ear.ids() == list(range(MANY))
    assert ear.gaps == []


def test_a_connection_hears_what_is_told_to_it(ear):
    own, foreign = f"connection:{ear.broker.node}.abc", "connection:elsewhere.abc"
    ear.broker.listen([own, foreign])
    ear.broker.publish([event(1, own), event(2, foreign)])
    ear.wait(2)
    assert sorted(ear.ids()) == [1, 2]


def test_after_the_close_nothing_is_delivered(ear, open_ear):
    ear.broker.listen(["global"])
    ear.broker.close()
    open_ear().start().broker.publish([event(1)])
    assert ear.heard == []
    ear.broker.close()


def test_it_answers(ear):
    ear.broker.ping()


def test_who_hears_is_among_those_who_may_hear(ear):
    ear.broker.listen(["user:1"])
    assert "user:1" in ear.broker.heard_among(["user:0", "user:1"])


@pytest.mark.parametrize("wrong", ["kafka://host", "", "memory", "http://host", "redis+sentinel://host"])
def test_an_unknown_scheme_is_refused_with_what_to_set(wrong):
    with pytest.raises(ConfigError, match="NOTIWAY_BROKER_URL"):
        open_broker(wrong)


def test_gaps_are_told_in_one_process_by_none(url, ear):
    ear.broker.listen(["global"])
    ear.broker.tell_gap(["user:1"])
    if not url.startswith("memory"):
        wait_until(lambda: ear.gaps == [["user:1"]])
