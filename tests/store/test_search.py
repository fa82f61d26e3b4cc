"""Search: a part after a part, and yet one answer."""

from __future__ import annotations

import pytest
from fresh import verbs

from notiway.store import inbox, search
from notiway.store.search import Filters, newest
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.verbs.send import send_notification

ADA = Audience.user("ada")


@pytest.fixture(autouse=True)
def broker(tmp_path):
    with verbs(tmp_path) as notebook:
        yield notebook


def found(filters, before=None, limit=10):
    items, _ = newest("ada", filters, now=now_ms() + 1, before=before, limit=limit)
    return [item.title for item in items]


@pytest.mark.parametrize("walk", [1, 2, 3, 100])
def test_parts_of_any_size_give_the_same_answer(monkeypatch, walk):
    monkeypatch.setattr(search, "WALK", walk)
    for number in range(7):
        send_notification(ADA, f"{'rare' if number % 3 == 0 else 'other'} {number}")
    assert found(Filters(text="RARE")) == ["rare 6", "rare 3", "rare 0"]
    assert found(Filters(text="rare"), limit=2) == ["rare 6", "rare 3"]


def test_unread_and_read_are_two_halves_of_all():
    sent = [send_notification(ADA, str(number)).id for number in range(4)]
    inbox.mark_read("ada", [sent[1]])
    assert found(Filters(state="unread")) == ["3", "2", "0"]
    assert found(Filters(state="read")) == ["1"]
    assert found(Filters(), before=sent[2]) == ["1", "0"]


def test_the_signs_of_a_pattern_are_looked_for_as_text():
    send_notification(ADA, "100% sure")
    send_notification(ADA, "1000 sure")
    assert found(Filters(text="0%")) == ["100% sure"]


def test_a_search_without_a_hit_looks_at_so_many_items_and_says_where_to_go_on(monkeypatch):
    monkeypatch.setattr(search, "WALK", 2)
    monkeypatch.setattr(search, "PARTS", 3)
    send_notification(ADA, "the oldest")
    sent = [send_notification(ADA, str(number)).id for number in range(12)]
    cursor, looked = None, []
    while not looked or cursor is not None:
        page = inbox.feed("ada", text="oldest", before=cursor)
        looked.append((len(page.items), page.next_cursor))
        cursor = page.next_cursor
    assert looked == [(0, sent[6]), (0, sent[0]), (1, None)]


@pytest.mark.parametrize("text", ["ärger", "ÄRGER", "Ärger", "großer ä"])
def test_letters_beyond_ascii_are_found_in_either_case(text):
    send_notification(ADA, "Großer Ärger")
    send_notification(ADA, "Hi", "GROẞER UND KLEINER ÄRGER" if text != "großer ä" else "großer ÄRGER")
    assert found(Filters(text=text)) == ["Hi", "Großer Ärger"]
