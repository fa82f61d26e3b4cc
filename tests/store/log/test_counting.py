"""Counting: what is unread, and that includes broadcasts which have no row in the inbox yet."""

import pytest
from fresh import verbs

from notiway.store import inbox, membership, writing
from notiway.store.database import db
from notiway.store.log import counting, pulling
from notiway.store.tables import InboxItem
from notiway.values.audience import Audience
from notiway.values.clock import moment, now_ms
from notiway.values.event import COUNT_CAP
from notiway.verbs.recall import recall
from notiway.verbs.send import send_notification

EVERYONE = Audience.everyone()
ADMINS = Audience.group("admins")


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


@pytest.fixture
def here():
    """Ada and Bob have been here before; only Bob is one of the admins."""
    membership.join("bob", ADMINS)
    for user_id in ("ada", "bob"):
        inbox.arrive(user_id)


def rows():
    return InboxItem.select().count()


@pytest.mark.usefixtures("here")
def test_broadcasts_are_counted_for_those_they_are_for_and_no_row_is_written():
    send_notification(EVERYONE, "One")
    send_notification(ADMINS, "Two")
    send_notification("ada", "Three")
    assert counting.unread_counts(["ada", "bob"]) == {"ada": 2, "bob": 2}
    assert (counting.arrive("ada"), counting.arrive("bob")) == (2, 2)
    assert rows() == 1


@pytest.mark.usefixtures("here")
def test_what_was_pulled_is_not_counted_twice():
    for number in range(3):
        send_notification(EVERYONE, str(number))
    items = inbox.feed("ada").items
    send_notification(EVERYONE, "later")
    assert counting.arrive("ada") == 4
    inbox.mark_read("ada", [items[0].id])
    inbox.delete("ada", [items[1].id])
    assert counting.arrive("ada") == 2


@pytest.mark.usefixtures("here")
def test_an_item_before_the_cursor_that_has_a_row_already_counts_once():
    """Subscribing writes rows, and does not move the cursor."""
    send_notification(EVERYONE, "One")
    pulling.pull_audience("ada", "global")
    assert counting.arrive("ada") == 1


@pytest.mark.usefixtures("here")
def test_what_is_over_or_recalled_is_not_counted(monkeypatch):
    ends = now_ms() + 60_000
    send_notification(EVERYONE, "One", expires_at=moment(ends))
    recall(send_notification(EVERYONE, "Two").id, by="staff")
    counts = []
    for at in (ends - 1, ends):
        monkeypatch.setattr(counting, "now_ms", lambda at=at: at)
        counts.append(counting.arrive("ada"))
    assert counts == [1, 0]


def test_a_newcomer_begins_with_the_backlog():
    send_notification(EVERYONE, "One")
    assert counting.unread_counts(["new"]) == {"new": 1}
    assert pulling.behind(["new"]) == []


@pytest.mark.usefixtures("here")
def test_a_member_who_leaves_keeps_what_was_counted():
    send_notification(ADMINS, "One")
    assert counting.arrive("bob") == 1
    membership.leave("bob", ADMINS)
    assert counting.arrive("bob") == 1


@pytest.mark.usefixtures("here")
def test_however_far_somebody_is_behind_a_count_that_needs_no_rows_writes_none():
    with db.atomic():
        for number in range(counting.LOOKED_AT):
            send_notification(EVERYONE, str(number))
    assert counting.unread_counts(["ada"]) == {"ada": COUNT_CAP}
    assert counting.arrive("ada") == COUNT_CAP
    assert rows() == 0


@pytest.mark.usefixtures("here")
def test_however_much_is_over_what_stands_behind_it_is_counted():
    with db.atomic():
        for number in range(counting.LOOKED_AT + 5):
            sent = send_notification(EVERYONE, str(number))
            writing.recall(sent.id)
        send_notification(EVERYONE, "stands")
    assert counting.unread_counts(["ada"]) == {"ada": 1}


@pytest.mark.usefixtures("here")
def test_a_count_says_up_to_where_it_was_counted(broker):
    before = counting.arrive("ada").as_of
    send_notification(EVERYONE, "One")
    position = broker.events[-1].data["position"]
    assert before < position <= counting.arrive("ada").as_of
    assert counting.unread_counts(["ada"])["ada"].as_of >= position
