"""The audit log: no act of staff without its row, and no row without its act."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace

import pytest
from flask import current_app
from fresh import verbs

from notiway.live import runtime
from notiway.live.listeners import Listeners
from notiway.store import audit
from notiway.store.database import db
from notiway.store.tables import AuditEntry, InboxItem, Notification
from notiway.values.audience import Audience
from notiway.values.errors import Forbidden, InvalidNotification, NotFound
from notiway.values.ids import new_id
from notiway.verbs import items, staff
from notiway.verbs.recall import recall
from notiway.verbs.send import send_notification


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        now = runtime.current()
        now.people, now.hub = None, SimpleNamespace(user_ids=set, listeners=Listeners())
        yield notebook


def entries():
    return [(row.actor_id, row.action, row.audience) for row in AuditEntry.select().order_by(AuditEntry.id)]


def test_a_row_is_written_inside_a_transaction_only():
    with pytest.raises(RuntimeError, match="transaction"):
        audit.record("ada", "send", "global")
    with db.atomic():
        audit.record("ada", "send", "global", details={"title": "Hi"})
    assert [entry.details for entry in audit.sends()] == [{"title": "Hi"}]


@pytest.mark.parametrize("to", [Audience.everyone(), Audience.group("admins", "acme"), ["bob"], ["bob", "cy"]])
@pytest.mark.parametrize("persist", [True, False])
def test_every_send_has_its_row(broker, to, persist):
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


def test_when_the_row_cannot_be_written_nothing_is_recalled(broker, monkeypatch):
    sent = send_notification("bob", "Hello")
    broker.clear()

    def full(*args, **values):
        raise OSError("the disk is full")

    monkeypatch.setattr(audit, "record", full)
    with pytest.raises(OSError, match="disk"):
        recall(sent.id, by="ada")
    assert broker.events == []
    assert Notification.get_by_id(sent.id).recalled_at is None


def test_what_is_refused_leaves_no_row(broker):
    with pytest.raises(InvalidNotification):
        staff.send("ada", ["nobody"], "")
    with pytest.raises(NotFound):
        recall(new_id(), by="ada")
    assert entries() == broker.events == []


@pytest.mark.parametrize("persist", [True, False])
def test_one_form_sends_once_however_often_it_comes(broker, persist):
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


def test_recalling_writes_who_did_it_once():
    entry, _ = staff.send("ada", Audience.everyone(), "Hello")
    assert recall(entry.notification_id, by="cy")
    assert not recall(entry.notification_id, by="bob")
    assert entries() == [("ada", "send", "global"), ("cy", "recall", "global")]
    assert audit.recalls([entry.notification_id])[entry.notification_id].actor_id == "cy"


def test_the_log_is_paged_newest_first():
    sent = [staff.send("ada", ["bob"], f"Number {number}")[0].id for number in range(5)]
    first = audit.sends(limit=2)
    assert [entry.id for entry in first] == sent[:2:-1]
    assert [entry.id for entry in audit.sends(before=first[-1].id, limit=9)] == sent[2::-1]


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_readers_are_counted_in_one_query_by_an_index(monkeypatch):
    one, _ = staff.send("ada", ["bob", "cy"], "One")
    two, _ = staff.send("ada", ["bob"], "Two")
    items.mark_seen("bob", [one.notification_id])
    items.mark_read("cy", [one.notification_id])
    ids = [one.notification_id, two.notification_id]
    assert audit.readers(ids) == {ids[0]: (2, 1), ids[1]: (0, 0)}
    assert audit.readers([]) == {}
    statements = []
    monkeypatch.setattr(
        audit, "run", lambda text, params: statements.append((text, params)) or db.execute_sql(text, params)
    )
    audit.readers(ids)
    [(text, params)] = statements
    plan = str(db.execute_sql(f"EXPLAIN QUERY PLAN {text}", params).fetchall())
    assert "USING INDEX" in plan
    assert "notification_id=?" in plan


def test_many_requests_with_one_form_at_once_send_once(broker):
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
