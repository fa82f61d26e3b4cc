"""Retention: what is old or expired goes, in batches, and nothing else does."""

import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest
from fresh import verbs

from notiway.store import inbox, retention
from notiway.store.database import db
from notiway.store.engine import turns
from notiway.store.log import pulling
from notiway.store.retention import Cleaned, clean_expired, clean_up
from notiway.store.tables import InboxItem, Notification, SpentToken, Task
from notiway.values import ids
from notiway.values.audience import Audience
from notiway.values.clock import DAY_MS, now_ms
from notiway.values.ids import id_floor
from notiway.verbs.send import send_notification

NOW = 1_800_000_000_000


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def add(age_days, number, *, expires_at=None, users=("1",), audience="user:1", id_days=None):
    """A notification stored so many days ago; its id carries that time, or that of `id_days` ago."""
    created_at = int(NOW - age_days * DAY_MS)
    id_at = created_at if id_days is None else int(NOW - id_days * DAY_MS)
    notification_id = id_floor(id_at)[:-4] + f"{number:04}"
    values = {"id": notification_id, "audience": audience, "title": "Hi", "expires_at": expires_at}
    Notification.create(**values, created_at=created_at)
    rows = [{"user_id": user_id, "notification": notification_id, "created_at": 0} for user_id in users]
    InboxItem.insert_many(rows).execute()
    return notification_id


def left():
    return {row.id for row in Notification.select()}


def test_what_is_older_goes_with_its_inbox_items_and_the_rest_stays():
    add(91, 1, users=("1", "2"))
    add(90.001, 2)
    kept = {add(89.999, 3), add(0, 4)}
    assert clean_up(90, now=NOW) == Cleaned(old=2, expired=0, items=3)
    assert left() == kept
    assert InboxItem.select().count() == 2


def test_what_has_expired_goes_at_once():
    add(1, 1, expires_at=NOW - 1, users=("1", "2"))
    add(1, 2, expires_at=NOW)
    kept = {add(1, 3, expires_at=NOW + 1), add(1, 4)}
    assert clean_up(90, now=NOW) == Cleaned(old=0, expired=2, items=3)
    assert left() == kept


def test_a_dry_run_says_the_same_and_changes_nothing():
    add(91, 1, users=("1", "2"))
    add(91, 2, expires_at=NOW - 1)
    add(1, 3, expires_at=NOW - 1)
    kept = add(1, 4)
    before = left()
    said = clean_up(90, dry_run=True, now=NOW)
    assert left() == before
    assert InboxItem.select().count() == 5
    assert clean_up(90, now=NOW) == said == Cleaned(old=2, expired=1, items=4)
    assert left() == {kept}
    assert clean_up(90, now=NOW) == Cleaned(0, 0, 0)


def changes():
    """How many rows this connection has changed; SQLite counts them."""
    return getattr(db.obj.connection(), "total_changes", 0)


@pytest.fixture
def pauses(monkeypatch):
    """Lets a test look in between two transactions of a cleanup: `pauses.do = …`; `changed` counts rows since then."""
    seen = SimpleNamespace(do=lambda: None, changed=[], before=changes())

    def pause(seconds=0.0):
        assert not db.in_transaction()
        seen.changed.append(changes() - seen.before)
        seen.do()
        seen.before = changes()

    monkeypatch.setattr(retention, "pause", pause)
    return seen


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize("rows", [7, 20, 1000])
def test_a_transaction_changes_no_more_rows_than_it_may(pauses, rows):
    for number in range(5):
        add(100, number, users=[f"user {each}" for each in range(53)])
        add(1, 100 + number, users=["1", "2"], expires_at=NOW - 1)
    for number in range(30):
        SpentToken.create(id=str(number), expires_at=NOW - 1)
        Task.create(id=str(number), user_id="1", audience="", name="", status="", done=0, total=0, message="",
                    updated_at=0)  # fmt: skip
    pauses.before = changes()
    assert clean_up(90, now=NOW, rows=rows) == Cleaned(5, 5, 5 * 53 + 10)
    assert max(pauses.changed) <= rows
    assert sum(pauses.changed) >= 5 * 53 + 10 + 10 + 30 + 30
    assert [table.select().count() for table in (Notification, InboxItem, SpentToken, Task)] == [0] * 4


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_others_write_between_two_transactions(pauses):
    add(100, 1, users=[f"user {each}" for each in range(50)])
    sent = []

    def send_from_elsewhere():
        with closing(sqlite3.connect(db.obj.database, timeout=0, isolation_level=None)) as other:
            other.execute("INSERT INTO notiway_spent_token (id, expires_at) VALUES (?, ?)", (str(len(sent)), 2**50))
        sent.append(1)

    pauses.do = send_from_elsewhere
    assert clean_up(90, now=NOW, rows=10).items == 50
    assert len(sent) >= 5


def test_the_pause_is_longer_than_a_waiting_writer_waits_between_two_attempts(monkeypatch):
    waits = []
    monkeypatch.setattr(retention, "pause", waits.append)
    add(100, 1)
    clean_up(90, now=NOW)
    assert min(waits) >= 2 * max(turns.LOCK_RETRY_SECONDS)


@pytest.fixture
def at_that_time(monkeypatch):
    """The inbox is looked at in the moment of the cleanup."""
    for module in (inbox, ids, pulling):
        monkeypatch.setattr(module, "now_ms", lambda: NOW)


@pytest.mark.usefixtures("at_that_time")
@pytest.mark.parametrize("expired", [True, False])
def test_a_broadcast_that_is_half_removed_is_in_no_list_and_is_not_pulled_again(pauses, expired):
    users = [f"user {each:02}" for each in range(40)]
    gone = add(2 if expired else 100, 1, users=users, audience="global", expires_at=NOW - 1 if expired else None)
    seen = []

    def look():
        left = {row.user_id for row in InboxItem.select().where(InboxItem.notification == gone)}
        if not left:
            return
        for user_id in ("user 00", "user 39", "somebody else"):
            seen.append((user_id in left, inbox.catch_up(user_id), len(inbox.feed(user_id).items)))

    pauses.do = look
    clean_up(90, now=NOW, rows=10)
    assert {(pulled, shown) for _, pulled, shown in seen} == {(0, 0)}
    assert {there for there, _, _ in seen} == {True, False}
    assert InboxItem.select().count() == 0


@pytest.mark.usefixtures("at_that_time")
def test_a_cleanup_that_is_cut_off_is_finished_by_the_next_one_for_expired_ones(pauses):
    add(100, 1, users=[f"user {each}" for each in range(50)], audience="global")

    def cut():
        if InboxItem.select().count() < 50:
            raise KeyboardInterrupt

    pauses.do = cut
    with pytest.raises(KeyboardInterrupt):
        clean_up(90, now=NOW, rows=10)
    assert inbox.catch_up("user 0") == 0
    pauses.do = lambda: None
    assert clean_expired(now=NOW).expired == 1
    assert left() == set()
    assert InboxItem.select().count() == 0


def test_the_age_is_that_of_the_row_and_not_that_of_its_id():
    add(91, 1, id_days=-8 * 365)  # stored under an id from the future
    kept = {add(1, 2, id_days=91), add(1, 3, id_days=-8 * 365)}
    assert clean_up(90, now=NOW, dry_run=True) == clean_up(90, now=NOW) == Cleaned(1, 0, 1)
    assert left() == kept


def test_what_was_stored_while_the_clock_was_ahead_ages_from_its_discovery_on():
    add(-8 * 365, 1)
    assert clean_up(90, now=NOW).old == 0
    assert clean_up(90, now=NOW + 89 * DAY_MS).old == 0
    assert clean_up(90, now=NOW + 91 * DAY_MS).old == 1


def test_expired_ones_and_spent_tokens_go_without_the_old_ones():
    kept = {add(91, 1), add(1, 2, expires_at=NOW + 1)}
    add(1, 3, expires_at=NOW, users=("1", "2"))
    SpentToken.create(id="spent", expires_at=NOW - 1)
    SpentToken.create(id="still good", expires_at=NOW + 1)
    assert clean_expired(now=NOW) == Cleaned(0, 1, 2)
    assert left() == kept
    assert [row.id for row in SpentToken.select()] == ["still good"]


def test_no_old_items_means_no_age_at_all():
    add(0.001, 1)
    assert clean_up(0, now=NOW).old == 1


def test_the_present_is_the_default(monkeypatch):
    monkeypatch.setattr(retention, "now_ms", lambda: NOW)
    add(91, 1)
    assert clean_up(90).old == 1


@pytest.mark.parametrize("days", [0, 90])
def test_deleted_broadcasts_do_not_come_back_after_a_cleanup(days):
    everyone = Audience.everyone()
    gone = send_notification(everyone, "deleted by me")
    inbox.catch_up("ada")
    inbox.delete("ada", [gone.id])
    clean_up(days, now=now_ms() + 1000)
    assert inbox.catch_up("ada") == 0
    assert inbox.feed("ada").items == []
    later = send_notification(everyone, "later")
    assert [item.id for item in inbox.feed("ada").items] == [later.id]
