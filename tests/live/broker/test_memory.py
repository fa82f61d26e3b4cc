"""Broker: one contract, run over every backend. A new one is one more line in `BROKERS`."""

import pytest
from servers import wait_until

from notiway.live.broker import open_broker
from notiway.values.errors import ConfigError
from notiway.values.event import KINDS, Event

# name -> a context manager that yields the URL of a running backend, or the URL itself
BROKERS = {"memory": "memory://"}


@pytest.fixture(params=BROKERS)
def url(request):
    place = BROKERS[request.param]
    if isinstance(place, str):
        yield place
    else:
        with place() as running:
            yield running


@pytest.fixture
def broker(url):
    opened = open_broker(url)
    yield opened
    opened.close()


def listen(broker):
    heard = []
    broker.start(heard.append)
    return heard


def test_an_event_comes_back_as_it_was(broker):
    heard = listen(broker)
    event = Event("created", "user:ünï", {"notification": {"body": {"a": [1, None, "🔔"]}}, "unread": 3}, 5.0)
    broker.publish(event)
    wait_until(lambda: heard == [event])


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_event_is_carried(broker, kind):
    heard = listen(broker)
    broker.publish(Event(kind, "global", {"x": 1}))
    wait_until(lambda: [event.kind for event in heard] == [kind])


def test_events_keep_the_order_in_which_they_were_published(broker):
    heard = listen(broker)
    for number in range(500):
        broker.publish(Event("sync", f"user:{number % 7}", {"unread": number}))
    wait_until(lambda: len(heard) == 500)
    assert [event.data["unread"] for event in heard] == list(range(500))


def test_each_event_comes_once(broker):
    heard = listen(broker)
    broker.publish(Event("sync", "global", {"unread": 1}))
    broker.publish(Event("sync", "global", {"unread": 2}))
    wait_until(lambda: len(heard) >= 2)
    assert [event.data["unread"] for event in heard] == [1, 2]


def test_a_large_event_is_carried(broker):
    heard = listen(broker)
    broker.publish(Event("created", "global", {"notification": {"body": "x" * 100_000}}))
    wait_until(lambda: heard)
    assert len(heard[0].data["notification"]["body"]) == 100_000


def test_publishing_before_the_start_is_no_fault(broker):
    broker.publish(Event("sync", "global", {"unread": 1}))
    heard = listen(broker)
    broker.publish(Event("sync", "global", {"unread": 2}))
    wait_until(lambda: heard)
    assert heard[-1].data["unread"] == 2


def test_it_answers(broker):
    broker.ping()
    listen(broker)
    broker.ping()


def test_after_the_close_nothing_is_delivered(broker):
    heard = listen(broker)
    broker.close()
    try:
        broker.publish(Event("sync", "global", {"unread": 1}))
    except OSError:
        pass  # a backend that is gone may say so
    assert heard == []
    broker.close()


@pytest.mark.parametrize("url", ["kafka://host", "", "memory", "http://host"])
def test_an_unknown_scheme_is_refused_with_what_to_set(url):
    with pytest.raises(ConfigError, match="NOTIWAY_BROKER_URL"):
        open_broker(url)


def test_several_go_together_where_that_was_asked_for_and_one_by_one_elsewhere(broker):
    together = []
    assert not broker.takes_many
    broker.start(lambda event: None, together.append)
    assert broker.takes_many
    events = [Event("created", "global", {"x": number}) for number in range(3)]
    broker.publish_all(events)
    wait_until(lambda: together == [events])
