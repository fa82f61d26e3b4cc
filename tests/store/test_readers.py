"""Readers: counted by an index, in parts, so many at a time, and right in the end."""

import pytest
from fresh import verbs

from notiway.store import readers
from notiway.store.database import db
from notiway.store.readers import Readers
from notiway.verbs import items, staff


@pytest.fixture(autouse=True)
def broker(place, monkeypatch):
    monkeypatch.setattr(readers, "_walks", type(readers._walks)())
    with verbs(place) as notebook:
        yield notebook


@pytest.fixture
def sent():
    """Two notifications: the first to three people, of whom two saw it and one read it."""
    one, _ = staff.send("ada", ["ada", "bob", "cy"], "One")
    two, _ = staff.send("ada", ["bob"], "Two")
    items.mark_seen("bob", [one.notification_id])
    items.mark_read("cy", [one.notification_id])
    return [one.notification_id, two.notification_id]


@pytest.fixture
def moment(monkeypatch):
    """The clock, in a list."""
    now = [1_000.0]
    monkeypatch.setattr(readers, "clock", lambda: now[0])
    return now


@pytest.mark.parametrize(("walk", "count"), [(1, 6), (2, 3), (3, 3), (5_000, 2)])
def test_readers_are_counted_in_parts_by_an_index(monkeypatch, sent, walk, count):
    monkeypatch.setattr(readers, "WALK", walk)
    seen, plain = [], readers.run
    monkeypatch.setattr(readers, "run", lambda text, params: seen.append((text, params)) or plain(text, params))
    assert readers.of(sent) == {sent[0]: Readers(2, 1), sent[1]: Readers(0, 0)}
    assert readers.of([]) == {}
    assert len(seen) == count
    if db.obj.param == "?":
        for text, params in seen:
            plan = str(db.execute_sql(f"EXPLAIN QUERY PLAN {text}", params).fetchall())
            assert "notification_id=? AND user_id>?" in plan
            assert "notiway_inbox_item_notification_id" in plan
            assert "TEMP B-TREE" not in plan


def test_what_is_in_no_inbox_has_no_readers(sent):
    assert readers.of(["01a1ff8f-41ea-77b3-9d6d-f99be1e1fa4f"]) == {}


def test_a_large_count_grows_from_page_to_page_and_is_whole_in_the_end(monkeypatch, sent):
    monkeypatch.setattr(readers, "WALK", 1)
    monkeypatch.setattr(readers, "PARTS", 0)
    assert readers.of(sent[:1]) == {sent[0]: Readers(0, 0, whole=False)}
    assert readers.of(sent[:1]) == {sent[0]: Readers(1, 0, whole=False)}
    assert readers.of(sent[:1]) == {sent[0]: Readers(2, 1, whole=False)}
    assert readers.of(sent[:1]) == {sent[0]: Readers(2, 1)}


def test_a_large_count_is_shown_for_a_while_and_then_while_it_is_counted_again(monkeypatch, sent, moment):
    monkeypatch.setattr(readers, "WALK", 1)
    assert readers.of(sent)[sent[0]] == Readers(2, 1)
    items.mark_read("ada", sent[:1])
    items.mark_read("bob", sent)
    monkeypatch.setattr(readers, "PARTS", 0)
    assert readers.of(sent) == {sent[0]: Readers(2, 1), sent[1]: Readers(0, 0)}
    moment[0] += readers.FRESH_SECONDS + 1
    for _ in range(3):
        assert readers.of(sent[:1]) == {sent[0]: Readers(2, 1)}
    assert readers.of(sent[:1]) == {sent[0]: Readers(3, 3)}


def test_a_small_count_is_always_the_present_one(sent, moment):
    assert readers.of(sent)[sent[0]] == Readers(2, 1)
    items.mark_read("ada", sent[:1])
    assert readers.of(sent)[sent[0]] == Readers(3, 2)


def test_one_page_counts_so_many_parts_and_others_run_in_between(monkeypatch, sent):
    monkeypatch.setattr(readers, "WALK", 1)
    monkeypatch.setattr(readers, "PARTS", 2)
    pauses = []
    monkeypatch.setattr(readers, "pause", lambda: pauses.append(1))
    assert readers.of(sent) == {sent[0]: Readers(2, 1, whole=False), sent[1]: Readers(0, 0, whole=False)}
    assert len(pauses) == 2


def test_two_pages_at_once_count_nothing_twice(monkeypatch, sent):
    monkeypatch.setattr(readers, "WALK", 1)
    plain, inner = readers.run, []

    def overtaken(text, params):
        if not inner:
            inner.append(1)
            inner.append(readers.of(sent[:1]))
        return plain(text, params)

    monkeypatch.setattr(readers, "PARTS", 0)
    readers.of(sent[:1])
    monkeypatch.setattr(readers, "PARTS", 40)
    monkeypatch.setattr(readers, "run", overtaken)
    readers.of(sent[:1])
    assert readers.of(sent[:1]) == inner[1] == {sent[0]: Readers(2, 1)}


def test_only_so_many_counts_are_remembered(monkeypatch, sent):
    monkeypatch.setattr(readers, "WALK", 1)
    monkeypatch.setattr(readers, "KEPT", 1)
    readers.of(sent)
    assert len(readers._walks) == 1
