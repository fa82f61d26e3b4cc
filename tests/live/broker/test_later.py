"""Later: what the broker did not take is published in order when it answers; what is too much is a gap."""

import pytest
from servers import wait_until

from notiway.live.broker import later
from notiway.live.broker.later import Later
from notiway.values.errors import BrokerDown
from notiway.values.event import Event

from .places import event


class Backend:
    def __init__(self):
        self.is_away = True
        self.told, self.gaps = [], []

    def publish(self, events):
        if self.is_away:
            raise BrokerDown("away")
        self.told += [each.data["n"] for each in events]

    def tell_gap(self, audiences):
        if self.is_away:
            raise BrokerDown("away")
        self.gaps.append(audiences)


@pytest.fixture
def backend():
    return Backend()


@pytest.fixture
def clock():
    return [1_000.0]


@pytest.fixture
def kept(backend, clock, monkeypatch):
    monkeypatch.setattr(later, "TRY_SECONDS", 0.01)
    made = Later(backend.publish, backend.tell_gap, lambda: clock[0])
    yield made
    made.close()


def test_all_is_told_in_order_when_the_broker_is_back(kept, backend):
    assert not kept
    kept.keep([event(number) for number in range(250)])
    assert kept
    assert not kept.try_now()
    backend.is_away = False
    wait_until(lambda: not kept)
    assert backend.told == list(range(250))
    assert backend.gaps == []
    kept.keep([event(250)])
    wait_until(lambda: backend.told[-1] == 250)


def test_what_is_too_much_is_a_gap_for_its_audiences(kept, backend, monkeypatch):
    monkeypatch.setattr(later, "MOST_EVENTS", 2)
    kept.keep([event(number, f"user:{number}") for number in range(5)])
    backend.is_away = False
    wait_until(lambda: not kept)
    assert backend.told == [3, 4]
    assert backend.gaps == [{"user:0", "user:1", "user:2"}]


def test_what_is_too_old_is_a_gap(kept, backend, clock):
    kept.keep([event(1, "user:1")])
    clock[0] += later.UNDER_WAY_SECONDS + 1
    kept.keep([event(2, "user:2")])
    backend.is_away = False
    wait_until(lambda: not kept)
    assert (backend.told, backend.gaps) == ([2], [{"user:1"}])


def test_too_many_audiences_are_all(kept, backend, monkeypatch):
    monkeypatch.setattr(later, "MOST_AUDIENCES", 2)
    kept.miss(["a", "b"])
    kept.miss(["c"])
    kept.miss(["d"])
    backend.is_away = False
    wait_until(lambda: not kept)
    assert backend.gaps == [None]


def test_the_end_tries_once_more(backend, clock):
    kept = Later(backend.publish, backend.tell_gap, lambda: clock[0])
    kept.keep([event(1)])
    backend.is_away = False
    kept.close()
    assert backend.told == [1]


def test_what_could_not_be_told_at_the_end_is_said(backend, caplog):
    kept = Later(backend.publish, backend.tell_gap)
    kept.keep([event(1)])
    kept.close()
    assert "1 events were not told" in caplog.text


def test_a_fault_in_publishing_is_logged_and_tried_again(kept, backend, monkeypatch, caplog):
    def fail(events):
        monkeypatch.undo()
        monkeypatch.setattr(later, "TRY_SECONDS", 0.01)
        raise RuntimeError("a fault of its own")

    backend.is_away = False
    monkeypatch.setattr(kept, "_publish", fail)
    kept.keep([event(1)])
    wait_until(lambda: backend.told == [1])
    assert "a fault of its own" in caplog.text


@pytest.mark.parametrize("kind", sorted(later.MARKS))
def test_what_was_marked_meanwhile_is_looked_up_instead_of_told_late(kept, backend, kind):
    kept.keep([event(1), Event(kind, "user:ada", {"n": 2}), event(3)])
    backend.is_away = False
    wait_until(lambda: not kept)
    assert backend.told == [1, 3]
    assert backend.gaps == [{"user:ada"}]


@pytest.mark.parametrize("is_stored", [True, False])
def test_what_is_stored_may_be_taken_back_meanwhile_and_is_looked_up(kept, backend, is_stored):
    kept.keep([Event("created", "group:g", {"n": 1, "notification": {"persisted": is_stored}}), event(2)])
    backend.is_away = False
    wait_until(lambda: not kept)
    assert (backend.told, backend.gaps) == (([2], [{"group:g"}]) if is_stored else ([1, 2], []))
