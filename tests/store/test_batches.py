"""Batches: many notifications in one transaction, with a number of statements that does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fresh import fresh_database

from notiway.store import batches, inbox, spent_ids, writing
from notiway.store.batches import Entry
from notiway.store.database import db
from notiway.store.tables import InboxItem, Notification
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.draft import Draft
from notiway.values.ids import id_after, new_id


@pytest.fixture(autouse=True)
def database(place: Any) -> Iterator[None]:
    with fresh_database(place):
        yield


def entry(key: str, audience: Audience | None = None, publisher: str = "app", **values: Any) -> Entry:
    draft = Draft(**({"title": key, "dedupe_key": key, "publisher": publisher, "body": {"é": [1, None]}} | values))
    return Entry(draft, audience or Audience.user("me"))


def insert(*entries: Entry) -> list[str | None]:
    with db.atomic():
        return batches.insert(entries, now_ms())


def test_each_is_stored_as_it_would_be_alone() -> None:
    draft = Draft("Hi", "there", type="error", name="order", priority="urgent", action_url="/x", group_key="g",
                  source="s", actor="a", body={"é": [1, None]}, expires_at=now_ms() + 60_000, dedupe_key="k",
                  producer="p", publisher="key:1", sent_at=5)  # fmt: skip
    (stored,) = insert(Entry(draft, Audience.everyone()))
    with db.atomic():
        alone, _ = writing.insert(Draft(**{**draft.as_dict(), "dedupe_key": "other"}), "global")
    one, other = Notification.get_by_id(stored), Notification.get_by_id(alone.id)
    own = {"id", "dedupe_key", "created_at", "position", "horizon"}
    assert {name: value for name, value in one.__data__.items() if name not in own} == {
        name: value for name, value in other.__data__.items() if name not in own
    }
    assert (one.position, one.horizon) < (other.position, other.horizon)
    assert one.horizon >= one.position


def test_the_json_text_that_is_there_already_is_taken() -> None:
    draft = Draft("Hi", dedupe_key="k", body={"a": 1})
    (stored,) = insert(Entry(draft, Audience.user("me"), '{"a":1}'))
    assert Notification.get_by_id(stored).body == {"a": 1}


def test_ids_and_positions_rise_in_the_order_given_above_all_that_is_stored() -> None:
    later = id_after(new_id()[:8] + "-ffff-7fff-bfff-ffffffffff00")
    with db.atomic():
        writing.insert(Draft("From a clock that is ahead"), "global", later)
    ids = insert(*(entry(key) for key in ("c", "a", "b")))
    assert ids == sorted(filter(None, ids))
    rows = Notification.select().where(Notification.dedupe_key.is_null(False)).order_by(Notification.id)
    assert [row.dedupe_key for row in rows] == ["c", "a", "b"]
    places = [row.position for row in rows]
    assert places == sorted(places)


def test_who_it_is_for_finds_it_in_the_inbox_and_a_broadcast_is_one_row() -> None:
    insert(entry("1"), entry("2", Audience.user("you")), entry("3"), entry("4", Audience.tenant("acme")))
    assert (inbox.unread_count("me"), inbox.unread_count("you")) == (2, 1)
    assert (Notification.select().count(), InboxItem.select().count()) == (4, 3)
    for item in InboxItem.select():
        assert item.position == item.notification.position


def test_a_key_that_is_taken_is_left_out_and_the_others_are_stored() -> None:
    (first,) = insert(entry("1"))
    with db.atomic():
        spent_ids.keep(str(insert(entry("2"))[0]), now_ms(), 7)
        Notification.delete().where(Notification.dedupe_key == "2").execute()
    ids = insert(entry("0"), entry("1"), entry("2"), entry("3"), entry("1", publisher="key:1"))
    assert [each is None for each in ids] == [False, True, True, False, False]
    assert Notification.get(Notification.dedupe_key == "1", Notification.publisher == "app").id == first
    assert batches.taken("app", ["0", "1", "2", "3", "4"]) == {"0", "1", "2", "3"}
    assert inbox.unread_count("me") == 4


def test_nothing_to_store_is_nothing_stored() -> None:
    assert insert() == []
    assert batches.taken("app", []) == set()


def test_a_batch_takes_no_more_statements_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    run, run_many = batches.run, batches.run_many
    monkeypatch.setattr(batches, "run", lambda *given: said.append(given[0]) or run(*given))
    monkeypatch.setattr(batches, "run_many", lambda *given: said.append(given[0]) or run_many(*given))
    insert(entry("one"))
    alone, said[:] = len(said), []
    insert(*(entry(str(number)) for number in range(batches.ROWS_AT_ONCE)))
    assert (alone, len(said)) == (3, 3)


def test_others_run_between_the_parts_of_a_long_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("notiway.store.sql.pause", lambda: pauses.append(1))
    monkeypatch.setattr(batches, "ROWS_AT_ONCE", 10)
    insert(*(entry(str(number)) for number in range(40)))
    assert db.obj.param != "?" or len(pauses) == 6
    assert inbox.unread_count("me") == 40
