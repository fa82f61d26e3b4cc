"""Notifications, the verbs: rows in one transaction, then what happened is published."""

import inspect
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from fresh import verbs

from notiway.live.runtime import current
from notiway.store import inbox, membership, resuming
from notiway.store.database import db
from notiway.store.tables import InboxItem, Notification
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.errors import InvalidNotification, NotFound
from notiway.verbs import items
from notiway.verbs.send import send_notification
from notiway.verbs.sign_out import sign_out

EVERYONE = Audience.everyone()
VERBS = {
    "mark_read": (items.mark_read, "read"),
    "mark_unread": (items.mark_unread, "unread"),
    "delete": (items.delete, "deleted"),
    "restore": (items.restore, "restored"),
}


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


class Undo(Exception):
    """Raised to roll back."""


@dataclass
class Named:
    id: object

    def __iter__(self):
        raise AssertionError("an object with an id is one user, even when it is iterable")

    def get_id(self):
        return f"{self.id}|session-token"


class OnlyGetId:
    def get_id(self):
        return "ada"


def stored():
    return Notification.select().count(), InboxItem.select().count()


# Who


@pytest.mark.parametrize(
    ("to", "users"),
    [
        ("ada", ["ada"]),
        (SimpleNamespace(id="ada"), ["ada"]),
        (Named("ada"), ["ada"]),
        (OnlyGetId(), ["ada"]),
        (Audience.user("ada"), ["ada"]),
        (["ada", "bob"], ["ada", "bob"]),
        (("bob", Named("ada")), ["bob", "ada"]),
        ({"ada"}, ["ada"]),
        (lambda: (name for name in ("ada", "bob")), ["ada", "bob"]),
        (["ada", SimpleNamespace(id="ada"), "bob", "ada"], ["ada", "bob"]),
        ({"ada": 1, "bob": 2}.keys(), ["ada", "bob"]),
        (7, ["7"]),
        (0, ["0"]),
        ([7, "7", "8"], ["7", "8"]),
        (uuid.UUID(int=5), [str(uuid.UUID(int=5))]),
        (SimpleNamespace(id=uuid.UUID(int=5)), [str(uuid.UUID(int=5))]),
        ("o'hara; --", ["o'hara; --"]),
    ],
)
def test_recipients_may_be_given_in_many_ways(to, users, broker):
    current().unknown_users = lambda ids: set()
    sent = send_notification(to() if inspect.isfunction(to) else to, "Hi")
    assert {row.user_id for row in InboxItem.select()} == set(users)
    assert broker.kinds == [("created", f"user:{user_id}") for user_id in users]
    assert Notification.select().count() == 1
    assert all(inbox.get(user_id, sent.id).audience == f"user:{user_id}" for user_id in users)


@pytest.mark.parametrize(
    "to",
    [
        None, "", [], (), iter(()), "nobody", ["ada", "nobody"], 1.5, True, b"ada", object(), [None], ["ada", None],
        ["ada", ["bob"]], "x" * 201, "a\x00b", "line\nbreak", SimpleNamespace(id=None), SimpleNamespace(id=""),
        Audience.user("nobody"), [EVERYONE], {"": 1},
    ],
)  # fmt: skip
def test_whoever_is_not_there_is_refused_and_nobody_gets_it(to, broker):
    with pytest.raises(InvalidNotification) as caught:
        send_notification(to, "Hi")
    assert {fault.path for fault in caught.value.faults} == {"to"}
    assert stored() == (0, 0)
    assert broker.events == []


def test_unknown_users_are_named_but_not_by_the_thousand():
    with pytest.raises(InvalidNotification, match=r"no user u0, u1, u10, u100, u1000 …"):
        send_notification([f"u{number}" for number in range(2_000)], "Hi")


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


# What


def test_the_event_carries_the_item_and_the_absolute_count(broker):
    for expected in (1, 2, 3):
        sent = send_notification("ada", "Hi", "there", body={"n": 1})
        event = broker.events[-1]
        assert event.data == {"notification": inbox.get("ada", sent.id).as_dict(), "unread": expected}
        assert event.published_at > 0
    items.mark_read("ada", [sent.id])
    send_notification("ada", "Hi")
    assert broker.events[-1].data["unread"] == 3


@pytest.mark.parametrize(
    ("moment", "milliseconds"),
    [
        (datetime(2100, 1, 1, tzinfo=UTC), 4_102_444_800_000),
        (datetime(2100, 1, 1), 4_102_444_800_000),  # noqa: DTZ001 - a naive one is taken as UTC
        (datetime(2100, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), 4_102_444_800_000),
        (datetime(2100, 1, 1, microsecond=123_999, tzinfo=UTC), 4_102_444_800_123),
        (datetime.max.replace(tzinfo=UTC), 253_402_300_799_999),
    ],
)
def test_an_expiry_is_kept_in_milliseconds(moment, milliseconds):
    assert send_notification("ada", "Hi", expires_at=moment).expires_at == milliseconds


@pytest.mark.parametrize("moment", [datetime(2020, 1, 1, tzinfo=UTC), datetime.min, 5, "2100-01-01"])  # noqa: DTZ901
def test_an_expiry_in_the_past_or_of_another_kind_is_refused(moment):
    with pytest.raises(InvalidNotification, match="expires_at"):
        send_notification("ada", "Hi", expires_at=moment)
    assert stored() == (0, 0)


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
    assert resuming.page("ada", resuming.beginning(), 10).items == []
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

    def count():
        with db.connection_context():
            seen.append(InboxItem.select().where(InboxItem.read_at.is_null()).count())

    def look(event):
        other = threading.Thread(target=count)
        other.start()
        other.join()

    broker.on_publish = look
    sent = send_notification("ada", "Hi")
    items.mark_read("ada", [sent.id])
    assert seen == [1, 0]


@pytest.mark.parametrize("name", VERBS)
def test_a_change_that_is_rolled_back_rings_nothing(name, broker):
    sent = send_notification("ada", "Hi")
    broker.clear()
    with pytest.raises(Undo), db.atomic():
        with db.atomic():
            VERBS[name][0]("ada", [sent.id])
        raise Undo
    with db.atomic(), pytest.raises(Undo), db.atomic():
        VERBS[name][0]("ada", [sent.id])
        raise Undo
    assert broker.events == []
    assert not inbox.get("ada", sent.id).is_read


def test_a_broker_that_is_down_loses_nothing_that_is_stored(broker, caplog):
    broker.fault = ConnectionRefusedError("no broker")
    sent = send_notification("ada", "Hi")
    assert inbox.get("ada", sent.id).title == "Hi"
    assert items.mark_read("ada", [sent.id]) == 0
    assert "the broker did not take an event" in caplog.text


# Reading and deleting


@pytest.mark.parametrize("name", VERBS)
def test_a_change_reaches_the_users_other_devices_with_the_count(name, broker):
    verb, kind = VERBS[name]
    first, second = send_notification("ada", "1"), send_notification("ada", "2")
    if name == "mark_unread":
        items.mark_read("ada", [first.id])
    if name == "restore":
        items.delete("ada", [first.id])
    broker.clear()
    count = verb("ada", [first.id])
    (event,) = broker.events
    assert (event.kind, event.audience) == (kind, "user:ada")
    assert event.data["unread"] == count == inbox.unread_count("ada")
    assert count == {"mark_read": 1, "mark_unread": 2, "delete": 1, "restore": 2}[name]
    if name == "restore":
        assert [item["id"] for item in event.data["notifications"]] == [first.id]
    else:
        assert event.data["ids"] == [first.id]
    assert second.id != first.id


@pytest.mark.parametrize("name", [*VERBS, "mark_seen"])
@pytest.mark.parametrize("bulk", [False, True], ids=["alone", "among one's own"])
def test_another_users_id_is_not_found_nothing_changes_and_nothing_rings(name, bulk, broker):
    verb = getattr(items, name)
    own, foreign = send_notification("ada", "hers"), send_notification("bob", "his")
    broker.clear()
    before = sorted(InboxItem.select().tuples())
    with pytest.raises(NotFound):
        verb("ada", [own.id, foreign.id] if bulk else [foreign.id])
    assert sorted(InboxItem.select().tuples()) == before
    assert broker.events == []


def test_a_broadcast_may_be_marked_before_it_was_ever_listed():
    sent = send_notification(EVERYONE, "Hi")
    assert items.mark_read("ada", [sent.id]) == 0
    assert inbox.get("ada", sent.id).is_read
    assert not inbox.feed("bob").items[0].is_read


def test_marking_all_up_to_a_cutoff_leaves_what_came_later_unread(broker):
    first = send_notification("ada", "shown")
    later = send_notification("ada", "arrived meanwhile")
    broker.clear()
    assert items.mark_all_read("ada", first.id) == 1
    assert [item.id for item in inbox.feed("ada", state="unread").items] == [later.id]
    name = {"id": first.id, "public_id": first.id, "audience": "user:ada"}
    assert broker.events[0].data == {"before": first.id, "items": [name], "unread": 1}
    assert items.mark_all_read("ada") == 0
    assert broker.kinds == [("read_all", "user:ada")] * 2


def test_marking_all_takes_broadcasts_along_that_nobody_listed_yet():
    send_notification(EVERYONE, "Hi")
    assert items.mark_all_read("ada") == 0
    inbox.catch_up("ada")
    assert inbox.unread_count("ada") == 0


def test_seen_is_nobody_elses_business(broker):
    sent = send_notification("ada", "Hi")
    broker.clear()
    items.mark_seen("ada", [sent.id])
    assert broker.events == []
    assert inbox.get("ada", sent.id).seen_at is not None


@pytest.mark.parametrize("session", [None, "a-session"])
def test_a_sign_out_is_told_to_every_process(session, broker):
    sign_out("ada", session)
    (event,) = broker.events
    assert (event.kind, event.audience, event.data) == ("kick", "user:ada", {"session": session, "code": 4009})
