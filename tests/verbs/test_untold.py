"""Untold: after a crash those are let resume who may lack what was stored just before."""

import time

import pytest
from servers import wait_until

from notiway.live.runtime import current
from notiway.store import writing
from notiway.store.engine.faults import DatabaseUnavailable
from notiway.store.engine.guard import guard_of
from notiway.values.audience import Audience
from notiway.verbs import untold
from notiway.verbs.send import send_notification


def test_those_are_named_to_whom_something_was_sent_lately(broker):
    send_notification("ada", "Hi")
    send_notification(["bob", "cy"], "Hi")
    send_notification(Audience.group("ops"), "Hi")
    untold.tell_gap_since(current(), time.time())
    assert broker.gaps == [["group:ops", "user:ada", "user:bob", "user:cy"]]


def test_where_nothing_was_stored_nobody_resumes(broker):
    send_notification("ada", "Hi")
    untold.tell_gap_since(current(), time.time() + 2 * untold.BEFORE_MS / 1000)
    assert broker.gaps == []


def test_too_many_are_all(broker, monkeypatch):
    monkeypatch.setattr(untold, "AUDIENCES", 1)
    send_notification(["ada", "bob"], "Hi")
    untold.tell_gap_since(current(), time.time())
    assert broker.gaps == [None]


def test_a_database_that_is_away_means_all(broker, monkeypatch):
    def fail(*args):
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(writing, "audiences_since", fail)
    untold.tell_gap_since(current(), time.time())
    assert broker.gaps == [None]


def test_a_fault_of_our_own_is_no_secret(broker, monkeypatch):
    monkeypatch.setattr(writing, "audiences_since", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        untold.tell_gap_since(current(), time.time())


@pytest.fixture
def gaps(app, monkeypatch):
    """What an application with one notification in its database lets resume."""
    told = []
    with app.app_context():
        send_notification(Audience.group("ops"), "Hi")
    monkeypatch.setattr(app.extensions["notiway"].broker, "tell_gap", told.append)
    return told


def test_another_process_that_died_is_told_of_outside_any_context(app, gaps):
    app.extensions["notiway"].presence.on_death(time.time())
    assert gaps == [["group:ops"]]


def test_a_commit_that_was_not_answered_is_looked_for_once_the_database_answers(app, gaps, monkeypatch):
    asked = []

    def answer(moment, limit):
        asked.append(moment)
        if len(asked) < 3:
            raise DatabaseUnavailable("away")
        return real(moment, limit)

    real = writing.audiences_since
    monkeypatch.setattr(writing, "audiences_since", answer)
    monkeypatch.setattr(untold, "LOOK_SECONDS", 0.01)
    on_doubt = guard_of(app.extensions["notiway"].database).on_doubt
    for _ in range(5):
        on_doubt()
    wait_until(lambda: gaps)
    assert gaps == [["group:ops"]]
    assert len(set(asked)) == 1, "from the first of them on"
    on_doubt()
    wait_until(lambda: len(gaps) == 2)


def test_a_database_that_stays_away_means_all_in_the_end(app, gaps, monkeypatch):
    def fail(*args):
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(writing, "audiences_since", fail)
    monkeypatch.setattr(untold, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(untold, "PATIENCE_SECONDS", 0.05)
    guard_of(app.extensions["notiway"].database).on_doubt()
    wait_until(lambda: gaps)
    assert gaps == [None]
