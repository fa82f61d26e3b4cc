"""Store: one row for each publish, one copy for each inbox that it is pushed to."""

import pytest
from fresh import verbs

from notiway.store import inbox, writing
from notiway.store.database import db
from notiway.store.log import resuming
from notiway.store.tables import InboxItem, Notification
from notiway.values import clock
from notiway.values.clock import DAY_MS, now_ms
from notiway.values.draft import Draft
from notiway.values.ids import AHEAD_MS, id_floor, id_time, is_id


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def insert(audience="user:1", **values):
    with db.atomic():
        return writing.insert(Draft(**{"title": "Hi", **values}), audience)


def test_a_draft_is_stored_as_it_is():
    values = {
        "title": "Ünï 🔔", "message": "'; DROP TABLE notiway_notification; --", "type": "error", "priority": "urgent",
        "name": "disk-full", "action_url": "/disk", "group_key": "g", "source": "s", "actor": "a", "body": {"n": [1]},
        "expires_at": 2**41, "dedupe_key": "k",
    }  # fmt: skip
    row, is_new = insert("group:admins", **values)
    stored = Notification.get_by_id(row.id)
    assert is_new
    assert is_id(row.id)
    assert {name: getattr(stored, name) for name in values} == values
    assert (stored.audience, stored.producer) == ("group:admins", "app")


def test_the_same_dedupe_key_gives_the_first_row_again():
    first, _ = insert(title="first", dedupe_key="k")
    second, is_new = insert(title="second", dedupe_key="k")
    assert not is_new
    assert (second.id, second.title) == (first.id, "first")
    assert Notification.select().count() == 1


def test_the_same_dedupe_key_of_another_publisher_is_something_else():
    insert(dedupe_key="k")
    assert insert(dedupe_key="k", publisher="key:1")[1]
    assert insert(dedupe_key="k", publisher="key:2")[1]


def test_the_producer_is_a_label_and_keeps_no_ids_apart():
    insert(dedupe_key="k", producer="billing")
    row, is_new = insert(dedupe_key="k", producer="orders")
    assert not is_new
    assert row.producer == "billing"


def test_what_was_stored_under_an_id_is_found_for_its_publisher_only():
    first, _ = insert("group:ops", dedupe_key="k", name="disk-full", body={"n": 1}, publisher="key:1")
    insert(dedupe_key="k", publisher="key:2")
    insert(dedupe_key="other", publisher="key:1")
    found = writing.first_of("key:1", ["k", "unheard of"])
    assert set(found) == {"k"}
    assert (found["k"].id, found["k"].audience, found["k"].body) == (first.id, "group:ops", {"n": 1})
    assert writing.first_of("key:1", []) == {}


def test_without_a_dedupe_key_everything_is_new():
    assert insert()[1]
    assert insert()[1]


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize("offset_ms", [-60_000, 0])
def test_ids_rise_in_the_order_of_commits_even_when_the_clock_runs_back(monkeypatch, offset_ms):
    first, _ = insert()
    slow_clock = iter(range(1, 1000))
    monkeypatch.setattr(
        writing, "new_id", lambda: id_floor(id_time(first.id) + offset_ms)[:-3] + f"{next(slow_clock):03}"
    )
    ids = [first.id, *(insert()[0].id for _ in range(5))]
    assert ids == sorted(set(ids))
    assert all(map(is_id, ids))


YEARS_MS = 8 * 365 * DAY_MS


@pytest.fixture
def from_the_future(monkeypatch):
    """What was stored while the clock was wrong by eight years: its id."""
    with monkeypatch.context() as wrong:
        wrong.setattr(writing, "now_ms", lambda: now_ms() + YEARS_MS)
        wrong.setattr(writing, "new_id", lambda: id_floor(now_ms() + YEARS_MS))
        return insert(audience="global")[0].id


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_one_id_from_the_future_does_not_drag_all_later_ones_there(from_the_future, caplog):
    before = now_ms()
    made = [insert()[0].id for _ in range(5)]
    assert made == sorted(set(made)), "ids still follow the commits"
    assert all(before <= id_time(each) <= now_ms() + 1 for each in made)
    (line,) = [record.message for record in caplog.records if "clock" in record.message]
    assert clock.iso(id_time(from_the_future))[:10] in line
    assert "NTP" in line


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_ids_go_on_above_one_that_is_a_moment_ahead(monkeypatch, caplog):
    with monkeypatch.context() as wrong:
        wrong.setattr(writing, "new_id", lambda: id_floor(now_ms() + AHEAD_MS - 10_000))
        ahead = insert()[0].id
    made = [insert()[0].id for _ in range(3)]
    assert [ahead, *made] == sorted({ahead, *made})
    assert not caplog.records


def test_no_cursor_follows_an_id_into_the_future(from_the_future):
    assert inbox.catch_up("1") == 1
    fresh = insert(audience="global")[0].id
    assert fresh < from_the_future
    assert inbox.catch_up("1") == 1
    assert inbox.catch_up("1") == 0


def test_a_client_that_goes_on_from_an_id_of_the_future_gets_what_came_since(from_the_future):
    fresh = insert(audience="global")[0].id
    page = resuming.page("1", resuming.after(from_the_future), 10)
    assert [item.id for item in page.items] == [fresh]


def test_many_inboxes_are_filled_in_batches(monkeypatch):
    monkeypatch.setattr(writing, "ROWS_PER_INSERT", 7)
    first, second = insert()[0], insert()[0]
    users = [f"user {number}" for number in range(20)]
    writing.deliver_to([first.id, second.id], users)
    assert InboxItem.select().count() == 40
    assert InboxItem.select().where(InboxItem.user_id == "user 19").count() == 2


def test_what_is_there_already_stays_as_it_is():
    row, _ = insert()
    writing.deliver_to([row.id], ["1"])
    InboxItem.update(read_at=5, deleted_at=6).execute()
    writing.deliver_to([row.id], ["1", "2"])
    states = {item.user_id: (item.read_at, item.deleted_at) for item in InboxItem.select()}
    assert states == {"1": (5, 6), "2": (None, None)}


@pytest.mark.parametrize(("ids", "users"), [([], ["1"]), (["x"], [])])
def test_nothing_to_deliver_is_no_statement(ids, users):
    writing.deliver_to(ids, users)
    assert InboxItem.select().count() == 0
