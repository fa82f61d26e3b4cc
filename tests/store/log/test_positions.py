"""Positions: numbers that follow the commits, or say which transactions were still open."""

from types import SimpleNamespace

import pytest
from fresh import verbs

from notiway.store import inbox, schema
from notiway.store.database import db
from notiway.store.log import positions, resuming
from notiway.store.log.positions import Seen
from notiway.store.tables import InboxItem, Notification
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.verbs.send import send_notification


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def chosen(clause):
    """Which of the numbers from 0 to 9 an SQL condition holds for."""
    condition, values = clause
    numbers = " UNION ALL ".join(f"SELECT {number} AS number" for number in range(10))
    text = f"SELECT number FROM ({numbers}) AS numbers WHERE {condition} ORDER BY number".replace("?", db.param)
    return [row[0] for row in db.execute_sql(text, values).fetchall()]


@pytest.mark.parametrize(
    ("seen", "within"),
    [
        (Seen(0, 0), []),
        (Seen(10, 10), list(range(10))),
        (Seen(3, 3), [0, 1, 2]),
        (Seen(3, 7, (3, 5)), [0, 1, 2, 4, 6]),
        (Seen(3, 7, (3, 4, 5, 6)), [0, 1, 2]),
    ],
)
def test_what_was_seen_and_what_was_not_are_all_there_is(seen, within):
    assert chosen(seen.within("number")) == within
    assert chosen(seen.beyond("number")) == [number for number in range(10) if number not in within]


def test_rows_rise_with_the_log_and_an_item_stands_where_its_notification_does():
    for number in range(3):
        send_notification(["ada", "bob"], str(number))
    rows = list(Notification.select().order_by(Notification.id))
    assert sorted(row.position for row in rows) == [row.position for row in rows]
    assert len({row.position for row in rows}) == 3
    assert {(item.notification_id, item.position) for item in InboxItem.select()} == {
        (row.id, row.position) for row in rows
    }


def test_what_is_written_now_lies_at_or_after_what_is_decided():
    decided = positions.decided()
    row = Notification.get_by_id(send_notification("ada", "Hi").id)
    assert row.position >= decided
    assert row.position < positions.decided()
    assert row.horizon >= decided


def test_a_position_is_never_given_twice():
    first = Notification.get_by_id(send_notification("ada", "Hi").id).position
    Notification.delete().execute()
    assert Notification.get_by_id(send_notification("ada", "Hi").id).position > first


def test_a_rollback_leaves_no_trace():
    before = positions.now()
    with db.atomic() as transaction:
        send_notification("ada", "Hi")
        transaction.rollback()
    if db.param == "?":
        assert positions.now() == before
    assert Notification.select().count() == 0


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_after_a_dump_was_loaded_into_another_server_nothing_new_is_passed_over(caplog):
    for number in range(3):
        send_notification(Audience.everyone(), str(number))
    inbox.catch_up("ada")
    assert not positions.number_anew(db.obj)
    for table, columns in positions.MEASURED.items():
        for column in columns:
            db.execute_sql(f"UPDATE {table} SET {column} = {column} + 1000000000")
    future = resuming.Cursor(positions.Seen(10**9, 10**9))
    assert schema.migrate(db.obj) == []
    assert "numbered anew" in caplog.text
    send_notification(Audience.everyone(), "later")
    assert [item.title for item in inbox.feed("ada").items] == ["later", "2", "1", "0"]
    assert [item.title for item in resuming.page("ada", resuming.beginning(), 9).items] == ["0", "1", "2", "later"]
    assert len(resuming.page("ada", future, 9).items) == 4
    assert not positions.number_anew(db.obj)


def test_the_position_of_a_moment_lies_before_all_that_was_written_since():
    assert positions.at(now_ms()) == positions.LOWEST
    send_notification("ada", "before")
    later = now_ms() + 1_000
    start = positions.at(later)
    after = Notification.get_by_id(send_notification("ada", "after").id)
    assert start <= after.position
    assert positions.at(now_ms() - 60_000) == positions.LOWEST


def test_what_a_transaction_has_written_itself_counts_as_seen_and_what_others_write_does_not():
    with db.atomic():
        send_notification("ada", "Own")
        seen = positions.now_and_own()
    send_notification("ada", "Later")
    found = resuming.page("ada", resuming.Cursor(seen), 9).items
    assert [item.title for item in found] == ["Later"]


@pytest.mark.parametrize(
    ("snapshot", "own", "seen"),
    [
        ("5:9:5,7", 6, Seen(5, 9, (5, 7))),
        ("5:5:", 5, Seen(5, 6, ())),
        ("5:7:5", 9, Seen(5, 10, (5, 7, 8))),
    ],
)
def test_a_snapshot_that_ends_before_its_own_transaction_is_read_up_to_that(snapshot, own, seen, monkeypatch):
    monkeypatch.setattr(positions, "has_one_writer", lambda: False)
    monkeypatch.setattr(positions, "run", lambda _: SimpleNamespace(fetchone=lambda: (snapshot, own)))
    assert positions.now_and_own() == seen
