"""Pulling: broadcasts reach each inbox exactly once, however late they commit; a newcomer begins at a bounded past."""

import threading
from time import monotonic

import pytest
from flask import current_app
from fresh import verbs

from notiway.pausing import pause
from notiway.store import inbox, membership, writing
from notiway.store.database import db
from notiway.store.engine.guard import guard_of
from notiway.store.log import pulling
from notiway.store.tables import InboxCursor, InboxItem, Notification
from notiway.values.audience import Audience
from notiway.values.clock import DAY_MS, now_ms
from notiway.values.ids import id_floor
from notiway.values.item import ANNOUNCEMENT
from notiway.verbs.send import send_notification

EVERYONE = Audience.everyone()
ADMINS = Audience.group("admins")
WAIT_SECONDS = 20


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


@pytest.fixture
def elsewhere():
    """Runs work on another connection of its own; what it returns waits for the end and raises what went wrong."""
    threads = []
    app = current_app._get_current_object()

    def start(work):
        faults = []

        def run():
            try:
                with app.app_context(), db.connection_context():
                    work()
            except Exception as fault:  # noqa: BLE001 - raised where it is waited for
                faults.append(fault)

        def end():
            thread.join(WAIT_SECONDS)
            assert not thread.is_alive()
            if faults:
                raise faults[0]

        thread = threading.Thread(target=run)
        threads.append(thread)
        thread.start()
        return end

    yield start
    for thread in threads:
        thread.join(WAIT_SECONDS)


def titles(user_id="ada"):
    return [item.title for item in inbox.feed(user_id, limit=10_000).items]


def aged(days, number=1, to=EVERYONE, **values):
    """A broadcast as it was stored so many days ago."""
    row = send_notification(to, f"{days} days, {number}", **values)
    old = id_floor(int(now_ms() - days * DAY_MS))[:-4] + f"{number:04}"
    Notification.update(id=old).where(Notification.id == row.id).execute()
    return old


def cursor_of(user_id="ada"):
    return InboxCursor.get_by_id(user_id).position


# Late commits


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_transaction_of_an_hour_loses_nobodys_announcement(elsewhere, monkeypatch):
    written, may_commit = threading.Event(), threading.Event()

    def send_slowly():
        with db.atomic():
            aged(1 / 24, 1)
            written.set()
            assert may_commit.wait(WAIT_SECONDS)

    inbox.catch_up("ada")
    end = elsewhere(send_slowly)
    assert written.wait(WAIT_SECONDS)
    pulled = []
    for number in range(3):
        send_notification(EVERYONE, f"meanwhile {number}")
        pulled.append(inbox.catch_up("ada"))
    may_commit.set()
    end()
    pulled += [inbox.catch_up("ada"), inbox.catch_up("ada")]
    assert pulled == [1, 1, 1, 1, 0], "nobody waits, and nothing is lost"
    assert sorted(titles()) == sorted(["meanwhile 0", "meanwhile 1", "meanwhile 2", f"{1 / 24} days, 1"])


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_the_cursor_moves_on_once_a_long_transaction_has_ended(elsewhere):
    written, may_end = threading.Event(), threading.Event()

    def hold():
        with db.atomic():
            send_notification("bob", "slow")
            written.set()
            assert may_end.wait(WAIT_SECONDS)

    inbox.catch_up("ada")
    end = elsewhere(hold)
    assert written.wait(WAIT_SECONDS)
    send_notification(EVERYONE, "one")
    inbox.catch_up("ada")
    before = cursor_of()
    send_notification(EVERYONE, "two")
    inbox.catch_up("ada")
    assert cursor_of() == before, "what is undecided is read again"
    may_end.set()
    end()
    inbox.catch_up("ada")
    assert cursor_of() > before


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_who_joins_while_a_broadcast_to_the_group_is_under_way_gets_it(elsewhere):
    written, may_commit = threading.Event(), threading.Event()

    def send_slowly():
        with db.atomic():
            send_notification(ADMINS, "under way")
            written.set()
            assert may_commit.wait(WAIT_SECONDS)

    inbox.catch_up("ada")
    end = elsewhere(send_slowly)
    assert written.wait(WAIT_SECONDS)
    membership.join("ada", ADMINS)
    inbox.catch_up("ada")
    may_commit.set()
    end()
    assert titles() == ["under way"]


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_pull_that_did_not_see_a_membership_does_not_step_over_its_broadcasts(elsewhere):
    """Joining has read what stands, a broadcast commits, and only then the joining does."""
    joined, may_commit = threading.Event(), threading.Event()

    def join_slowly():
        with db.atomic():
            membership.join("ada", ADMINS)
            joined.set()
            assert may_commit.wait(WAIT_SECONDS)

    inbox.catch_up("ada")
    end_joining = elsewhere(join_slowly)
    assert joined.wait(WAIT_SECONDS)
    send_notification(ADMINS, "in between")
    send_notification(EVERYONE, "to all")
    end_pulling = elsewhere(lambda: inbox.catch_up("ada"))
    may_commit.set()
    end_joining()
    end_pulling()
    assert sorted(titles()) == ["in between", "to all"]


@pytest.mark.parametrize("user", ["ada", "guest"])
def test_a_broadcast_that_is_removed_while_it_is_settled_is_left_out_and_the_others_are_settled(elsewhere, user):
    """The cleanup has removed it, not committed; another one stands."""
    removed, may_commit = threading.Event(), threading.Event()
    membership.join("ada", ADMINS)
    inbox.catch_up("ada")
    old = send_notification(ADMINS, "old")
    send_notification(EVERYONE, "new")
    inbox.catch_up("guest")

    def clean_up():
        with db.atomic():
            InboxItem.delete().where(InboxItem.notification == old.id).execute()
            Notification.delete().where(Notification.id == old.id).execute()
            removed.set()
            assert may_commit.wait(WAIT_SECONDS)

    end_cleaning = elsewhere(clean_up)
    assert removed.wait(WAIT_SECONDS)
    end_settling = elsewhere(lambda: pulling.give_to_guests("group:g", [old.id], [user]))
    waiting_for_a_lock()
    may_commit.set()
    end_cleaning()
    end_settling()
    assert titles(user) == ["new"]


def waiting_for_a_lock():
    """Until somebody waits for the cleanup; on SQLite that is the line of writers."""
    until = monotonic() + WAIT_SECONDS
    while monotonic() < until:
        if db.obj.param == "?":
            if len(guard_of(db.obj).turns):
                return
        elif db.execute_sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()[0]:
            return
        pause(0.01)
    raise AssertionError("nobody waits")


# The cursor


def test_the_cursor_advances_for_whoever_has_nothing_to_pull():
    send_notification(EVERYONE, "one")
    inbox.catch_up("ada")
    before = cursor_of()
    row = send_notification(EVERYONE, "two")
    writing.deliver_to([row.id], ["ada"])
    assert inbox.catch_up("ada") == 0
    assert cursor_of() > before


def test_a_look_at_an_empty_inbox_is_remembered_for_a_month():
    assert inbox.catch_up("ada") == 0
    aged(20)
    assert inbox.catch_up("ada") == 1


def test_a_cleanup_of_the_newest_broadcasts_does_not_let_later_ones_be_missed():
    for number in range(3):
        send_notification(EVERYONE, str(number))
    inbox.catch_up("ada")
    Notification.delete().execute()
    send_notification(EVERYONE, "later")
    assert titles() == ["later"]


# Where a user begins


def test_a_newcomer_begins_at_a_bounded_past():
    aged(6.9, 1)
    aged(7.1, 2)
    aged(30, 3)
    assert titles() == ["6.9 days, 1"]
    aged(30, 4)
    assert titles() == ["6.9 days, 1", "30 days, 4"], "it came since"


def test_announcements_that_stand_reach_a_newcomer_however_old_they_are():
    aged(30, 1, name=ANNOUNCEMENT)
    aged(31, 2, name=ANNOUNCEMENT)
    gone, over = aged(32, 3, name=ANNOUNCEMENT), aged(33, 4, name=ANNOUNCEMENT)
    Notification.update(recalled_at=1).where(Notification.id == gone).execute()
    Notification.update(expires_at=1).where(Notification.id == over).execute()
    assert titles() == ["30 days, 1", "31 days, 2"]


def test_a_newcomer_gets_only_so_many_of_the_announcements_that_stand_the_newest(monkeypatch):
    monkeypatch.setattr(pulling, "STANDING", 2)
    for number in range(1, 5):
        aged(30 + number, number, name=ANNOUNCEMENT)
    aged(5, 9, name=ANNOUNCEMENT)
    assert titles() == ["5 days, 9", "31 days, 1", "32 days, 2"], "those of the backlog do not count"


def test_who_joins_gets_the_announcements_that_stand_there_and_of_the_rest_what_is_not_too_old():
    inbox.catch_up("ada")
    aged(6.9, 1, ADMINS)
    aged(7.1, 2, ADMINS)
    aged(30, 3, ADMINS, name=ANNOUNCEMENT)
    aged(30, 4, Audience.group("other"), name=ANNOUNCEMENT)
    membership.join("ada", ADMINS)
    assert titles() == ["6.9 days, 1", "30 days, 3"]


def test_who_joins_gets_the_bounded_past_of_that_audience_and_keeps_all_else():
    membership.join("ada", Audience.group("other"))
    send_notification(EVERYONE, "deleted")
    inbox.catch_up("ada")
    inbox.delete("ada", [item.id for item in inbox.feed("ada").items])
    send_notification(ADMINS, "before")
    before = cursor_of()
    membership.join("ada", ADMINS)
    assert cursor_of() >= before, "nothing is reset"
    assert titles() == ["before"]
    send_notification(ADMINS, "after")
    assert titles() == ["after", "before"]


# Batches


@pytest.mark.parametrize("count", [0, 1, 6, 7, 20])
def test_any_number_is_pulled_in_bounded_statements(count, monkeypatch):
    sizes = []
    execute = db.obj.execute_sql

    def measured(sql, *args):
        cursor = execute(sql, *args)
        if sql.startswith("INSERT INTO notiway_inbox_item"):
            sizes.append(cursor.rowcount)
        return cursor

    monkeypatch.setattr(db.obj, "execute_sql", measured)
    monkeypatch.setattr(pulling, "BATCH", 3)
    membership.join("bob", ADMINS)
    for beginning in range(2):
        for number in range(count):
            send_notification(ADMINS if number % 2 else EVERYONE, f"{beginning} {number}")
        inbox.catch_up("bob")
    assert max(sizes, default=0) <= 3
    assert len(titles("bob")) == InboxItem.select().count() == 2 * count


def test_broadcasts_are_pulled_in_parts_while_others_write(monkeypatch):
    pauses = []
    monkeypatch.setattr(pulling, "pause", lambda: pauses.append(db.in_transaction()))
    monkeypatch.setattr(pulling, "BATCH", 10)
    inbox.catch_up("ada")
    pauses.clear()
    sent = [send_notification(EVERYONE, str(number)).id for number in range(35)]
    assert inbox.catch_up("ada") == 35
    assert pauses == [False] * 3
    assert [row.notification_id for row in InboxItem.select().order_by(InboxItem.notification)] == sent
    assert inbox.catch_up("ada") == 0


def test_many_users_who_are_far_behind_are_all_brought_up(monkeypatch):
    monkeypatch.setattr(pulling, "BATCH", 3)
    monkeypatch.setattr(pulling, "TOGETHER", 2)
    users = [f"user {number}" for number in range(5)]
    pulling.pull(users)
    for number in range(7):
        send_notification(EVERYONE, str(number))
    assert sorted(pulling.behind(users)) == users
    assert pulling.pull(users) == 35
    assert pulling.behind(users) == []
    assert all(len(titles(user_id)) == 7 for user_id in users)
