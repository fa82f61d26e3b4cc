"""Search: a part after a part, and yet one answer."""

# ruff: noqa: RUF001 (letters that look like others are what this is about)

from __future__ import annotations

import pytest
from fresh import verbs

from notiway.store import inbox
from notiway.store.search import walking
from notiway.store.search.filters import Filters
from notiway.store.search.finding import newest
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.verbs.send import send_notification

ADA = Audience.user("ada")


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """However busy the machine is, only the number of parts ends a search."""
    monkeypatch.setattr(walking, "WORK_SECONDS", 1_000.0)


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def found(filters, before=None, limit=10):
    items, _ = newest("ada", filters, now=now_ms() + 1, before=before, limit=limit)
    return [item.title for item in items]


@pytest.mark.parametrize("walk", [1, 2, 3, 100])
def test_parts_of_any_size_give_the_same_answer(monkeypatch, walk):
    monkeypatch.setattr(walking, "WALK", walk)
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
    monkeypatch.setattr(walking, "WALK", 2)
    monkeypatch.setattr(walking, "PARTS", 3)
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


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("paid invoice", "Invoice 471 of Ada was paid"),
        ("471 invoice ada", "Invoice 471 of Ada was paid"),
        ("voice 2", "Invoice 2"),
        ("ΣΊΣΥΦΟΣ", "Ο Σίσυφος κάλεσε"),
        ("Σίσυφοσ", "ΣΊΣΥΦΟΣ"),
        ("istanbul", "Flight to İstanbul"),
        ("İSTANBUL", "Flight to istanbul"),
        ("ISPARTA", "Otobüs: ısparta"),
        ("strasse", "Hauptstraße 3"),
        ("STRASSE", "Hauptstraße 3"),
        ("HAUPTSTRAẞE", "hauptstrasse 3"),
        ("cafe", "Café Zoë"),
        ("cafe\u0301", "CAFÉ ZOË"),
        ("ёлка", "Новая ЕЛКА"),
        ("請求書", "新しい請求書が届きました"),
        ("届き 請求", "新しい請求書が届きました"),
        ("ﾃｽﾄ", "テスト完了"),
        ("１２３", "Order 123"),
        ("결제", "결제가 완료되었습니다"),
        ("ﬁnal", "Final figures"),
    ],
)
def test_words_are_found_in_any_order_and_case_and_script(text, title):
    send_notification(ADA, title)
    send_notification(ADA, "Something else", "entirely")
    assert found(Filters(text=text)) == [title]


@pytest.mark.parametrize("text", ["paid nothing", "invoice2", "sp\u0301", "\u0301", "´"])
def test_each_word_has_to_be_there(text):
    send_notification(ADA, "Invoice 2 paid", "to Ada")
    assert found(Filters(text=text)) == []


def test_one_word_may_be_in_the_title_and_another_in_the_message():
    send_notification(ADA, "Invoice 2", "John paid")
    assert found(Filters(text="john invoice")) == ["Invoice 2"]
    assert found(Filters(text="2john")) == [], "the end of one is not the beginning of the other"


def test_a_search_that_has_worked_long_enough_ends_after_that_part(monkeypatch):
    monkeypatch.setattr(walking, "WALK", 2)
    monkeypatch.setattr(walking, "WORK_SECONDS", 2.5)
    moments = iter(range(100))  # every part takes a second
    monkeypatch.setattr(walking, "clock", lambda: next(moments))
    sent = [send_notification(ADA, str(number)).id for number in range(12)]
    assert newest("ada", Filters(text="none"), now=now_ms(), before=None, limit=10) == ([], sent[4]), (
        "the newest, and three more"
    )
