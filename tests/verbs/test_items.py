"""Items: what users do with their own, and that all their devices hear of it."""

import pytest
from fresh import Undo

from notiway.store import inbox
from notiway.store.database import db
from notiway.store.search.filters import Filters
from notiway.store.tables import InboxItem
from notiway.values.audience import Audience
from notiway.values.errors import NotFound
from notiway.verbs import items
from notiway.verbs.send import send_notification

EVERYONE = Audience.everyone()
VERBS = {
    "mark_read": (items.mark_read, "read"),
    "mark_unread": (items.mark_unread, "unread"),
    "delete": (items.delete, "deleted"),
    "restore": (items.restore, "restored"),
}

pytestmark = pytest.mark.usefixtures("broker")


@pytest.mark.parametrize("name", VERBS)
def test_a_change_that_is_rolled_back_rings_nothing(name, broker):
    sent = send_notification("ada", "Hi")
    broker.clear()
    with pytest.raises(Undo), db.atomic():
        with db.atomic():
            VERBS[name][0]("ada", [sent.id])
        raise Undo
    with db.atomic(), pytest.raises(Undo), db.atomic():
        VERBS[name][0]("ada", [sent.id])
        raise Undo
    assert broker.events == []
    assert not inbox.get("ada", sent.id).is_read


@pytest.mark.parametrize("count", [1, 200, 201, 450])
def test_mark_all_names_every_item_that_it_marks_for_devices_that_follow_item_by_item(count, broker):
    sent = [
        send_notification(["ada", "bob"] if number % 2 else EVERYONE, f"Number {number}") for number in range(count)
    ]
    items.delete("ada", [sent[0].id])
    broker.clear()
    assert items.mark_all_read("ada") == 0
    assert broker.kinds[0] == ("read_all", "user:ada")
    assert all(each == ("read_each", "user:ada") for each in broker.kinds[1:])
    named = [each for event in broker.events for each in event.data["items"]]
    assert [each["id"] for each in named] == [row.id for row in sent[1:]]
    assert {each["audience"] for each in named} <= {"user:ada", "global"}
    assert max(len(event.data["items"]) for event in broker.events) <= items.TOLD_SINGLY


@pytest.mark.parametrize("name", VERBS)
def test_a_change_reaches_the_users_other_devices_with_the_count(name, broker):
    verb, kind = VERBS[name]
    first, second = send_notification("ada", "1"), send_notification("ada", "2")
    if name == "mark_unread":
        items.mark_read("ada", [first.id])
    if name == "restore":
        items.delete("ada", [first.id])
    broker.clear()
    count = verb("ada", [first.id])
    (event,) = broker.events
    assert (event.kind, event.audience) == (kind, "user:ada")
    assert event.data["unread"] == count == inbox.unread_count("ada")
    assert count == {"mark_read": 1, "mark_unread": 2, "delete": 1, "restore": 2}[name]
    if name == "restore":
        assert [item["id"] for item in event.data["notifications"]] == [first.id]
    else:
        assert event.data["ids"] == [first.id]
    assert second.id != first.id


@pytest.mark.parametrize("name", [*VERBS, "mark_seen"])
@pytest.mark.parametrize("bulk", [False, True], ids=["alone", "among one's own"])
def test_another_users_id_is_not_found_nothing_changes_and_nothing_rings(name, bulk, broker):
    verb = getattr(items, name)
    own, foreign = send_notification("ada", "hers"), send_notification("bob", "his")
    broker.clear()
    before = sorted(InboxItem.select().tuples())
    with pytest.raises(NotFound):
        verb("ada", [own.id, foreign.id] if bulk else [foreign.id])
    assert sorted(InboxItem.select().tuples()) == before
    assert broker.events == []


def test_a_broadcast_may_be_marked_before_it_was_ever_listed():
    sent = send_notification(EVERYONE, "Hi")
    assert items.mark_read("ada", [sent.id]) == 0
    assert inbox.get("ada", sent.id).is_read
    assert not inbox.feed("bob").items[0].is_read


def test_marking_all_up_to_a_cutoff_leaves_what_came_later_unread(broker):
    first = send_notification("ada", "shown")
    later = send_notification("ada", "arrived meanwhile")
    broker.clear()
    assert items.mark_all_read("ada", first.id) == 1
    assert [item.id for item in inbox.feed("ada", state="unread").items] == [later.id]
    name = {"id": first.id, "public_id": first.id, "audience": "user:ada"}
    press = broker.events[0].data.pop("press")
    assert broker.events[0].data == {"before": first.id, "items": [name], "unread": 1}
    assert first.id in press
    assert items.mark_all_read("ada") == 0
    assert broker.kinds == [("read_all", "user:ada")] * 2


def test_marking_all_names_the_newest_that_it_marks_so_that_a_late_event_spares_what_came_since(broker):
    items.mark_all_read("ada")
    first = send_notification("ada", "there")
    items.mark_all_read("ada")
    told = [event.data["before"] for event in broker.events if event.kind == "read_all"]
    assert told[0] < first.id == told[1]


def test_marking_all_takes_broadcasts_along_that_nobody_listed_yet():
    send_notification(EVERYONE, "Hi")
    assert items.mark_all_read("ada") == 0
    inbox.catch_up("ada")
    assert inbox.unread_count("ada") == 0


def test_seen_is_nobody_elses_business(broker):
    sent = send_notification("ada", "Hi")
    broker.clear()
    items.mark_seen("ada", [sent.id])
    assert broker.events == []
    assert inbox.get("ada", sent.id).seen_at is not None


def test_many_that_are_brought_back_are_told_in_parts_that_a_client_can_hold(broker):
    ids = [send_notification("ada", f"Number {n}").id for n in range(items.RESTORED_AT_ONCE + 1)]
    items.delete("ada", ids)
    broker.clear()
    items.restore("ada", ids)
    told = [[item["id"] for item in event.data["notifications"]] for event in broker.events]
    assert [len(part) for part in told] == [items.RESTORED_AT_ONCE, 1]
    assert [each for part in told for each in part] == ids


def test_marking_what_matches_tells_every_device_each_item_by_name(broker, monkeypatch):
    monkeypatch.setattr(items, "MARKED_AT_ONCE", 2)
    wanted = [send_notification("ada", f"Error {number}", type="error").id for number in range(5)]
    send_notification("ada", "An info")
    inbox.mark_read("ada", wanted[:1])
    broker.clear()
    marked, unread, _ = items.mark_matching_read("ada", Filters(type="error"), up_to=wanted[3])
    assert (sorted(marked), unread) == (wanted[1:4], 2)
    assert sorted(each for event in broker.events for each in event.data["ids"]) == wanted[1:4]
    assert {event.kind for event in broker.events} == {"read"}


def test_where_nothing_matches_nothing_is_marked_or_told(broker):
    send_notification("ada", "Hi")
    broker.clear()
    assert items.mark_matching_read("ada", Filters(text="zzzz")) == ([], 1, None)
    assert items.mark_matching_read("ada", Filters(state="read")) == ([], 1, None)
    assert broker.events == []
