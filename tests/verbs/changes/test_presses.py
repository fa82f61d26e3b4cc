"""Undoing "mark all as read": every device hears which are unread again."""

import pytest
from fresh import verbs

from notiway.store import inbox
from notiway.store.search.filters import Filters
from notiway.values.audience import Audience
from notiway.verbs import items
from notiway.verbs.changes import presses
from notiway.verbs.send import send_notification


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


@pytest.mark.parametrize("count", [1, 200, 201, 601])
def test_devices_hear_of_each_item_a_bounded_number_at_once(count, broker):
    sent = [send_notification("ada" if n % 2 else Audience.everyone(), str(n)).id for n in range(count)]
    marked = items.press_all("ada")
    broker.clear()
    ids, unread = presses.undo("ada", marked.press)
    assert ids == sent
    assert unread == min(count, 100)
    assert {event.kind for event in broker.events} == {"unread"}
    assert [each for event in broker.events for each in event.data["ids"]] == sent
    assert max(len(event.data["ids"]) for event in broker.events) <= items.TOLD_SINGLY
    assert {each["audience"] for event in broker.events for each in event.data["items"]} <= {"user:ada", "global"}
    broker.clear()
    assert presses.undo("ada", marked.press) == ([], unread)
    assert broker.events == []


def test_of_a_filtered_press_just_what_it_marked(broker):
    wanted = [send_notification("ada", f"Bad {n}", type="error").id for n in range(450)]
    other = send_notification("ada", "Fine").id
    marked = items.mark_matching_read("ada", Filters(type="error"))
    items.mark_all_read("ada")
    assert presses.undo("ada", marked.press)[0] == wanted
    assert inbox.get("ada", other).is_read
