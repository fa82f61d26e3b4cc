"""What staff send: once for each form, with its audit row or not at all."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import current_app
from peewee import IntegrityError

from notiway.store import audit
from notiway.store.database import db
from notiway.store.tables import InboxItem, Notification
from notiway.values.audience import Audience
from notiway.values.errors import Forbidden, InvalidNotification, NotFound
from notiway.values.ids import new_id
from notiway.verbs import staff
from notiway.verbs.recall import recall


@pytest.mark.parametrize("to", [Audience.everyone(), Audience.group("admins", "acme"), ["bob"], ["bob", "cy"]])
@pytest.mark.parametrize("persist", [True, False])
def test_every_send_has_its_row(broker, to, persist, entries):
    entry, is_new = staff.send("ada", to, "Hello", "World", persist=persist, type="warning")
    assert is_new
    assert entries() == [("ada", "send", entry.audience)]
    assert entry.details["title"] == "Hello"
    assert entry.details["persist"] is persist
    assert entry.details.get("to") == (None if isinstance(to, Audience) else to)
    assert {kind for kind, _ in broker.kinds} == {"created"}
    assert Notification.select().count() == (1 if persist else 0)


@pytest.mark.parametrize("persist", [True, False])
def test_when_the_row_cannot_be_written_nothing_is_sent(broker, monkeypatch, persist):
    def full(*args, **values):
        raise OSError("the disk is full")

    monkeypatch.setattr(audit, "record", full)
    with pytest.raises(OSError, match="disk"):
        staff.send("ada", ["bob"], "Hello", persist=persist)
    assert broker.events == []
    assert Notification.select().count() == InboxItem.select().count() == 0


def test_what_is_refused_leaves_no_row(broker, entries):
    with pytest.raises(InvalidNotification):
        staff.send("ada", ["nobody"], "")
    with pytest.raises(NotFound):
        recall(new_id(), by="ada")
    assert entries() == broker.events == []


@pytest.mark.parametrize("persist", [True, False])
def test_one_form_sends_once_however_often_it_comes(broker, persist, entries):
    key = new_id()
    first, _ = staff.send("ada", ["bob"], "Hello", form_key=key, persist=persist)
    rung = len(broker.events)
    for title in ("Hello", "Something else"):
        again, is_new = staff.send("ada", ["bob"], title, form_key=key, persist=persist)
        assert (again.id, is_new) == (first.id, False)
    assert len(broker.events) == rung == 1
    assert entries() == [("ada", "send", "user:bob")]


def test_a_form_of_somebody_else_is_refused(broker):
    key = new_id()
    staff.send("ada", ["bob"], "Hello", form_key=key)
    with pytest.raises(Forbidden):
        staff.send("cy", ["bob"], "Hello", form_key=key)
    assert len(broker.events) == 1


def test_many_requests_with_one_form_at_once_send_once(broker, entries):
    app, key, together = current_app._get_current_object(), new_id(), Barrier(8)

    def click(_):
        together.wait(10)
        try:
            with app.app_context():
                return staff.send("ada", ["bob"], "Hello", form_key=key)[1]
        finally:
            db.close()

    with ThreadPoolExecutor(8) as clicks:
        assert sorted(clicks.map(click, range(8))) == [False] * 7 + [True]
    assert len(broker.events) == 1
    assert entries() == [("ada", "send", "user:bob")]


def test_of_two_requests_that_both_saw_no_row_one_sends(broker, entries, monkeypatch):
    """On a database with many writers both look before either writes."""
    key = new_id()
    first, _ = staff.send("ada", ["bob"], "Hello", form_key=key)
    looks, look = [], audit.sent_by_form
    monkeypatch.setattr(audit, "sent_by_form", lambda by, key: look(by, key) if looks else looks.append(1))
    again, is_new = staff.send("ada", ["bob"], "Hello", form_key=key)
    assert (again.id, is_new) == (first.id, False)
    assert len(broker.events) == 1
    assert entries() == [("ada", "send", "user:bob")]


@pytest.mark.usefixtures("broker")
def test_another_conflict_of_the_database_is_not_taken_for_a_form_that_was_sent(monkeypatch):
    def conflict(*args, **values):
        raise IntegrityError("something else")

    monkeypatch.setattr(audit, "record", conflict)
    for key in (None, new_id()):
        with pytest.raises(IntegrityError, match="something else"):
            staff.send("ada", ["bob"], "Hello", form_key=key)
