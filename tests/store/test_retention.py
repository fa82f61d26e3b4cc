"""Retention: what is old or expired goes, in batches, and nothing else does."""

import pytest
from fresh import verbs

from notiway.store import inbox, retention
from notiway.store.database import db
from notiway.store.retention import DAY_MS, Cleaned, clean_up
from notiway.store.tables import InboxItem, Notification
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.ids import id_floor
from notiway.verbs.send import send_notification

NOW = 1_800_000_000_000


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def add(age_days, number, *, expires_at=None, users=("1",), audience="user:1"):
    notification_id = id_floor(int(NOW - age_days * DAY_MS))[:-4] + f"{number:04}"
    Notification.create(id=notification_id, audience=audience, title="Hi", expires_at=expires_at, created_at=0)
    for user_id in users:
        InboxItem.create(user_id=user_id, notification=notification_id)
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


@pytest.mark.parametrize("count", [0, 1, 6, 7, 20])
def test_it_goes_in_batches_with_a_transaction_each(monkeypatch, count):
    for number in range(count):
        add(100, number, users=("1", "2"))
    begun = []
    begin = db.obj.begin
    monkeypatch.setattr(db.obj, "begin", lambda *args: (begun.append(1), begin(*args)))
    assert clean_up(90, now=NOW, batch=3) == Cleaned(count, 0, 2 * count)
    assert len(begun) == count // 3 + 1 + 1  # the last batch is short; one more looks for expired ones
    assert left() == set()


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
