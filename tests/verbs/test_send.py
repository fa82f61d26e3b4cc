"""Sending: rows in one transaction, then what happened is published, once."""

from datetime import UTC, datetime, timedelta

import pytest
from fresh import Undo, stored

from notiway.store import inbox, membership
from notiway.store.database import db
from notiway.store.tables import Notification
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.errors import InvalidNotification, NotFound
from notiway.verbs import items
from notiway.verbs.send import send_notification

EVERYONE = Audience.everyone()

pytestmark = pytest.mark.usefixtures("broker")


def test_every_fault_is_named_at_once_the_recipients_too(broker):
    with pytest.raises(InvalidNotification) as caught:
        send_notification(
            ["ada", "nobody", None], "", 5, type="loud", name="", priority="x", action_url="javascript:alert(1)",
            group_key="", source=5, actor="", body=[], expires_at="tomorrow", dedupe_key="",
        )  # fmt: skip
    assert {fault.path for fault in caught.value.faults} == {
        "to", "title", "message", "type", "name", "priority", "action_url", "group_key", "source", "actor", "body",
        "expires_at", "dedupe_key",
    }  # fmt: skip
    assert stored() == (0, 0)
    assert broker.events == []


@pytest.mark.parametrize(
    ("audience", "key"),
    [
        (EVERYONE, "global"),
        (Audience.tenant("acme"), "tenant:acme"),
        (Audience.group("admins"), "group:admins"),
        (Audience.group("admins", "acme"), "group:acme:admins"),
    ],
)
def test_a_broadcast_is_one_row_and_one_event_whose_count_is_not_known(audience, key, broker):
    for user_id in ("ada", "bob"):
        if audience != EVERYONE:
            membership.join(user_id, audience)
    sent = send_notification(audience, "Hi")
    assert stored() == (1, 0)
    (event,) = broker.events
    assert (event.kind, event.audience, set(event.data)) == ("created", key, {"notification"})
    assert event.data["notification"]["id"] == sent.id


def test_what_expires_leaves_list_and_count(monkeypatch):
    send_notification("ada", "Hi", expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert inbox.unread_count("ada") == len(inbox.feed("ada").items) == 1
    later = now_ms() + 3_600_001
    monkeypatch.setattr(inbox, "now_ms", lambda: later)
    assert inbox.unread_count("ada") == len(inbox.feed("ada").items) == 0


@pytest.mark.parametrize("to", ["ada", ["ada", "bob"], EVERYONE])
def test_the_same_dedupe_key_again_sends_nothing_and_returns_the_first(to, broker):
    first = send_notification(to, "first", dedupe_key="k")
    broker.clear()
    second = send_notification("bob", "second", dedupe_key="k")
    assert (second.id, second.title) == (first.id, "first")
    assert broker.events == []
    assert Notification.select().count() == 1


def test_a_dedupe_key_of_something_that_was_rolled_back_is_free_again(broker):
    with pytest.raises(Undo), db.atomic():
        send_notification("ada", "undone", dedupe_key="k")
        raise Undo
    assert send_notification("ada", "kept", dedupe_key="k").title == "kept"
    assert [event.data["notification"]["title"] for event in broker.events] == ["kept"]


@pytest.mark.parametrize(
    ("to", "keys"),
    [
        ("ada", ["user:ada"]),
        (["ada", "bob"], ["user:ada", "user:bob"]),
        (EVERYONE, ["global"]),
        (Audience.connection("c1"), ["connection:c1"]),
    ],
)
def test_what_is_not_to_persist_is_stored_nowhere(to, keys, broker):
    sent = send_notification(to, "Hi", persist=False)
    assert stored() == (0, 0)
    assert broker.kinds == [("created", key) for key in keys]
    for event in broker.events:
        assert event.data["notification"]["id"] == sent.id
        assert event.data["notification"]["persisted"] is False
        assert "unread" not in event.data
    assert inbox.since("ada", "") == []
    with pytest.raises(NotFound):
        inbox.get("ada", sent.id)


def test_nothing_is_stored_for_a_connection_that_is_gone_tomorrow(broker):
    with pytest.raises(InvalidNotification, match="persist"):
        send_notification(Audience.connection("c1"), "Hi")
    assert broker.events == []


def test_what_is_not_to_persist_is_checked_like_everything_else(broker):
    with pytest.raises(InvalidNotification):
        send_notification("ada", "", persist=False)
    assert broker.events == []


# Commit before publish

SENDS = {
    "pushed": lambda: send_notification("ada", "Hi"),
    "broadcast": lambda: send_notification(EVERYONE, "Hi"),
    "not stored": lambda: send_notification("ada", "Hi", persist=False),
}


@pytest.mark.parametrize("send", SENDS.values(), ids=SENDS)
def test_it_rings_after_the_outermost_commit_only(send, broker):
    with db.atomic():
        with db.atomic():
            with db.atomic():
                send()
            assert broker.events == []
        assert broker.events == []
    assert len(broker.events) == 1


@pytest.mark.parametrize("send", SENDS.values(), ids=SENDS)
def test_a_rollback_rings_nothing(send, broker):
    with pytest.raises(Undo), db.atomic():
        with db.atomic():
            send()
        raise Undo
    send_notification("bob", "afterwards")
    assert broker.kinds == [("created", "user:bob")]
    assert stored() == (1, 1)


@pytest.mark.parametrize("send", SENDS.values(), ids=SENDS)
def test_a_rollback_of_a_savepoint_rings_nothing(send, broker):
    with db.atomic():
        with pytest.raises(Undo), db.atomic():
            send()
            raise Undo
        send_notification("bob", "kept")
    assert broker.kinds == [("created", "user:bob")]
    assert stored() == (1, 1)


def test_when_it_rings_the_rows_are_there_for_everybody(broker):
    seen = []
    path = db.obj.database

    def look(event):
        import sqlite3

        other = sqlite3.connect(path)
        seen.append(other.execute("SELECT COUNT(*) FROM notiway_inbox_item WHERE read_at IS NULL").fetchone()[0])
        other.close()

    broker.on_publish = look
    sent = send_notification("ada", "Hi")
    items.mark_read("ada", [sent.id])
    assert seen == [1, 0]
