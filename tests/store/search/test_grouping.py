"""Grouping: each group is one row, in the place of its newest member, on one page and no other."""

from __future__ import annotations

import random

import pytest
from fresh import verbs

from notiway.store import inbox
from notiway.store.search import grouping
from notiway.values.audience import Audience
from notiway.verbs import membership
from notiway.verbs.recall import recall
from notiway.verbs.send import send_notification

ADA = Audience.user("ada")
POST = "post:42:likes"


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def like(actor, key=POST, to=ADA):
    return send_notification(to, f"{actor} liked your post", actor=actor, group_key=key)


def titles(state="all", **options):
    shown, _ = grouping.page("ada", state, **options)
    return [item.title for item in shown.items]


def the_group(state="all"):
    _, groups = grouping.page("ada", state)
    [found] = groups.values()
    return found


def test_a_group_is_one_row_at_its_newest_member():
    like("Ann")
    send_notification(ADA, "Something else")
    like("Ben")
    assert titles() == ["Ben liked your post", "Something else"]


def test_a_row_tells_how_many_how_many_are_unread_and_who():
    sent = [like(actor) for actor in ("Ann", "Ben", "Ann", "Cy")]
    inbox.mark_read("ada", [sent[0].id])
    found = the_group()
    assert (found.count, found.unread, found.actors) == (4, 3, ("Cy", "Ann", "Ben"))
    assert found.ids == tuple(each.id for each in reversed(sent))


def test_what_is_alone_is_no_group():
    like("Ann")
    like("Ben", key="post:7:likes")
    assert grouping.page("ada", "all")[1] == {}


def test_a_group_has_what_is_in_the_list_only():
    sent = [like(actor) for actor in ("Ann", "Ben", "Cy", "Dan")]
    inbox.delete("ada", [sent[3].id])
    recall(sent[2].id, by="grace")
    found = the_group()
    assert (found.count, found.actors) == (2, ("Ben", "Ann"))
    assert titles() == ["Ben liked your post"]


def test_the_list_of_the_unread_groups_the_unread():
    sent = [like(actor) for actor in ("Ann", "Ben", "Cy")]
    inbox.mark_read("ada", [sent[2].id])
    assert titles("unread") == ["Ben liked your post"]
    assert the_group("unread").actors == ("Ben", "Ann")


def test_groups_of_others_are_their_own():
    like("Ann")
    like("Ben", to=Audience.user("bob"))
    assert grouping.page("ada", "all")[1] == {}
    assert [item.title for item in grouping.members("ada", POST)] == ["Ann liked your post"]


def test_what_was_pulled_or_sent_to_several_belongs_to_the_group():
    membership.join("ada", Audience.group("ops"))
    like("Ann", to=Audience.group("ops"))
    like("Ben", to=["ada", "bob"])
    like("Cy")
    assert the_group().actors == ("Cy", "Ben", "Ann")


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_show_each_group_once(limit):
    chance = random.Random(limit)
    expected, seen = [], set()
    for number in range(30):
        key = chance.choice(["a", "b", "c", None])
        send_notification(ADA, f"{number}", group_key=key)
        expected.append((f"{number}", key))
    wanted = []
    for title, key in reversed(expected):
        if key is None or key not in seen:
            wanted.append(title)
            seen.add(key)
    found, before = [], None
    while True:
        shown, _ = grouping.page("ada", "all", before=before, limit=limit)
        found += [item.title for item in shown.items]
        if shown.next_cursor is None:
            break
        before = shown.next_cursor
    assert found == wanted


def test_a_large_group_ends_a_page_early_instead_of_holding_up_everybody(monkeypatch):
    monkeypatch.setattr(grouping, "AT_ONCE", 2)
    monkeypatch.setattr(grouping, "PARTS", 3)
    send_notification(ADA, "The oldest")
    for number in range(12):
        like(f"Person {number}")
    shown, _ = grouping.page("ada", "all", limit=3)
    assert [item.title for item in shown.items] == ["Person 11 liked your post"]
    assert shown.searched_to is not None
    while len(shown.items) == 0 or shown.next_cursor:
        shown, _ = grouping.page("ada", "all", before=shown.next_cursor, limit=3)
    assert [item.title for item in shown.items] == ["The oldest"]


def test_members_are_counted_up_to_a_bound(monkeypatch):
    monkeypatch.setattr(grouping, "MOST", 3)
    for number in range(5):
        like(f"Person {number}")
    assert the_group().count == 3


def test_members_come_in_pages():
    for actor in ("Ann", "Ben", "Cy"):
        like(actor)
    first = grouping.members("ada", POST, limit=2)
    assert [item.actor for item in first] == ["Cy", "Ben"]
    assert [item.actor for item in grouping.members("ada", POST, before=first[-1].id)] == ["Ann"]
