"""Two applications in one process: each writes into its own database, wherever the work is done."""

import threading

import pytest

from notiway.host import accounts
from notiway.live import runtime
from notiway.live.settling import Open
from notiway.store import inbox
from notiway.store.database import db
from notiway.store.tables import Notification
from notiway.values.audience import Audience
from notiway.verbs.send import send_notification


@pytest.fixture
def pair(make_app):
    return make_app(), make_app()


def titles(app):
    """What is really in an application's own file."""
    database = app.extensions[runtime.KEY].database
    with database.connection_context():
        return [row[0] for row in database.execute_sql("SELECT title FROM notiway_notification").fetchall()]


def test_what_is_sent_in_ones_context_is_in_its_own_database(pair):
    first, second = pair
    for app, title in ((first, "for the first"), (second, "for the second"), (first, "again")):
        with app.app_context():
            send_notification(Audience.everyone(), title)
            assert Notification.select().where(Notification.title == title).count() == 1
    assert titles(first) == ["for the first", "again"]
    assert titles(second) == ["for the second"]


def test_a_transaction_stays_with_its_database_whatever_context_lies_inside_it(pair):
    first, second = pair
    with first.app_context(), db.atomic():
        send_notification(Audience.everyone(), "outer")
        with second.app_context():
            send_notification(Audience.everyone(), "inner")
        assert titles(second) == ["inner"], "it did not wait for the outer transaction"
    assert titles(first) == ["outer"]


def test_a_rollback_in_one_leaves_the_other_alone(pair):
    first, second = pair
    with first.app_context(), pytest.raises(ZeroDivisionError), db.atomic():
        with second.app_context():
            send_notification(Audience.everyone(), "kept")
        send_notification(Audience.everyone(), "gone")
        raise ZeroDivisionError
    assert (titles(first), titles(second)) == ([], ["kept"])


def test_requests_of_both_at_once_do_not_meet(pair):
    first, second = pair
    faults = []

    def work(app, name):
        try:
            for number in range(20):
                with app.app_context():
                    accounts.add(f"{name}{number}@example.com", name, "")
                    send_notification(Audience.everyone(), name)
        except Exception as error:  # noqa: BLE001 - told to the test
            faults.append(error)

    threads = [threading.Thread(target=work, args=(app, name)) for app, name in ((first, "a"), (second, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert (titles(first), titles(second)) == (["a"] * 20, ["b"] * 20)


def test_counts_that_are_told_in_the_background_come_from_ones_own_database(pair):
    first = pair[0]
    with first.app_context():
        sent = send_notification(Audience.group("open"), "Hi")
    running = first.extensions[runtime.KEY]
    heard = Open(heard={"group:open": ([sent.id], {"ada"})})
    work = running.badges._pool.submit(running.badges._guarded, lambda: running.badges.settling.settle(heard))
    work.result(30)
    with first.app_context():
        assert inbox.unread_count("ada") == 1


def test_without_a_context_the_last_one_that_was_made_is_meant(pair):
    assert db.obj is pair[1].extensions[runtime.KEY].database
