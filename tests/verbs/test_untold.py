"""Untold: after a crash those are let resume who may lack what was stored just before."""

import time

import pytest

from notiway.live.runtime import current
from notiway.store import writing
from notiway.store.engine.faults import DatabaseUnavailable
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
