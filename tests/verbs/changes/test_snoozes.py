"""Snoozing: devices hear that items left and until when, and that they are back, once."""

import pytest
from fresh import verbs

from notiway.store import inbox
from notiway.store.changes import snoozes as store
from notiway.values.clock import DAY_MS, now_ms
from notiway.values.errors import WrongInput
from notiway.verbs import items
from notiway.verbs.changes import snoozes
from notiway.verbs.changes.snoozes import snooze, wake_due
from notiway.verbs.send import send_notification


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


@pytest.fixture
def later(monkeypatch):
    """Moves the clock of what looks for what is due."""
    return lambda ms: monkeypatch.setattr(store, "now_ms", lambda: now_ms() + ms)


def test_devices_hear_until_when_and_then_that_it_is_back_unread(broker, later):
    sent = send_notification("ada", "Hi").id
    items.mark_read("ada", [sent])
    broker.clear()
    until = now_ms() + DAY_MS
    assert snooze("ada", [sent], until) == 0
    (event,) = broker.events
    assert (event.kind, event.data["ids"], event.data["snoozed_until"]) == ("deleted", [sent], until)
    broker.clear()
    assert wake_due() == 0
    assert broker.events == []
    later(DAY_MS + 1)
    assert wake_due() == 1
    (event,) = broker.events
    assert (event.kind, event.audience, event.data["unread"]) == ("restored", "user:ada", 1)
    assert event.data["notifications"][0]["read_at"] is None
    assert event.data["woken"]
    assert wake_due() == 0
    assert len(broker.events) == 1


@pytest.mark.parametrize("away", [0, -1, 366 * DAY_MS + 60_000])
def test_a_moment_that_has_passed_or_is_too_far_away_is_refused(broker, away):
    sent = send_notification("ada", "Hi").id
    broker.clear()
    with pytest.raises(WrongInput) as caught:
        snooze("ada", [sent], now_ms() + away)
    assert [fault.path for fault in caught.value.faults] == ["until"]
    assert broker.events == []
    assert inbox.unread_count("ada") == 1


def test_more_than_one_look_finds_come_back_all_the_same(broker, later, monkeypatch):
    sent = [send_notification(["ada", "bob"], str(number)).id for number in range(5)]
    for user in ("ada", "bob"):
        snooze(user, sent, now_ms() + 1_000)
    monkeypatch.setattr(store.due, "__defaults__", (2,))
    later(2_000)
    assert wake_due() == 10
    assert inbox.unread_count("ada") == inbox.unread_count("bob") == 5


def test_one_users_fault_holds_up_nobody_else_and_is_tried_again(broker, later, monkeypatch, caplog):
    sent = send_notification(["ada", "bob"], "Hi").id
    for user in ("ada", "bob"):
        snooze(user, [sent], now_ms() + 1_000)
    later(2_000)
    wake = store.wake

    def fail(user_id, ids):
        if user_id == "ada":
            raise RuntimeError("broken")
        return wake(user_id, ids)

    monkeypatch.setattr(snoozes.store, "wake", fail)
    assert wake_due() == 1
    assert "ada" in caplog.text
    monkeypatch.setattr(snoozes.store, "wake", wake)
    assert wake_due() == 1
