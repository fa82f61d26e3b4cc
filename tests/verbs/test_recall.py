"""Recall: what was taken back is gone from every list, count and replay, for everybody, on every wire."""

import json
from types import SimpleNamespace

import pytest

from notiway.live import runtime
from notiway.live.heartbeat import Heartbeat
from notiway.live.settling import Open, Settling
from notiway.live.wires.json import JsonWire
from notiway.live.wires.signalr import SignalRWire
from notiway.live.wires.sse import SseWire
from notiway.store import audit, inbox, membership
from notiway.store.database import db
from notiway.store.log import resuming, standing
from notiway.store.search import finding
from notiway.store.tables import Notification
from notiway.values.audience import Audience
from notiway.values.errors import NotFound
from notiway.values.ids import new_id
from notiway.verbs import events, items, staff
from notiway.verbs.recall import recall
from notiway.verbs.send import send_notification

ADMINS = Audience.group("admins")
AUDIENCES = {"a user": ("ada", None), "several": (["ada", "bob"], None), "all": (Audience.everyone(), None),
             "a group": (ADMINS, ADMINS), "a tenant": (Audience.tenant("acme"), Audience.tenant("acme"))}  # fmt: skip

pytestmark = pytest.mark.usefixtures("broker")


@pytest.fixture(params=AUDIENCES.values(), ids=AUDIENCES)
def sent(request, broker):
    to, group = request.param
    for user_id in ("ada", "bob") if group else ():
        membership.join(user_id, group)
    row = send_notification(to, "A mistake", source="billing")
    broker.clear()
    return row


def test_it_is_gone_from_every_list_count_and_replay(sent):
    send_notification("ada", "No mistake", source="shop")
    assert len(inbox.feed("ada").items) == 2
    recall(sent.id, by="staff")
    assert [item.title for item in inbox.feed("ada").items] == ["No mistake"]
    assert [item.title for item in resuming.page("ada", resuming.beginning(), 10).items] == ["No mistake"]
    assert [item.title for item in standing.items("ada", ["global", "user:ada", sent.audience])] == ["No mistake"]
    assert inbox.unread_count("ada") == 1
    assert inbox.unread_counts(["ada"]) == {"ada": 1}
    assert finding.sources("ada") == ["shop"]


def test_who_has_not_looked_yet_never_gets_it(sent):
    recall(sent.id, by="staff")
    assert inbox.catch_up("ada") == 0
    standing.pull("ada", sent.audience)
    assert inbox.feed("ada").items == []


@pytest.mark.parametrize("verb", ["mark_read", "mark_unread", "mark_seen", "delete", "restore"])
def test_nothing_can_be_done_with_it_any_more(sent, broker, verb):
    inbox.catch_up("ada")
    recall(sent.id, by="staff")
    broker.clear()
    with pytest.raises(NotFound):
        getattr(items, verb)("ada", [sent.id])
    assert broker.events == []


def test_everybody_who_was_addressed_is_told_once(sent, broker):
    assert recall(sent.id, by="staff")
    assert not recall(sent.id, by="staff")
    wanted = ["user:ada", "user:bob"] if sent.audience == "users" else [sent.audience]
    assert sorted(broker.kinds) == [("recalled", key) for key in wanted]
    for event in broker.events:
        assert event.data["ids"] == [sent.id]
        assert event.data["items"] == [{"id": sent.id, "public_id": sent.id, "audience": event.audience}]
        assert event.data.get("unread") == (0 if event.audience.startswith("user:") else None)
        assert event.leaves_counts_open is not event.audience.startswith("user:")


def test_an_unknown_one_cannot_be_recalled(broker):
    with pytest.raises(NotFound):
        recall(new_id(), by="staff")
    assert broker.events == []


def test_a_transaction_that_rolls_back_recalls_nothing(sent, broker):
    with pytest.raises(ZeroDivisionError), db.atomic():
        recall(sent.id, by="staff")
        raise ZeroDivisionError
    assert broker.events == []
    assert inbox.feed("ada").items[0].id == sent.id


def test_every_wire_tells_it(sent, broker):
    recall(sent.id, by="staff")
    event = broker.events[0]
    told = json.loads(JsonWire().render(event))
    assert (told["event"], told["data"]["notificationId"]) == ("recalled", sent.id)
    signalr = json.loads(SignalRWire().render(event).rstrip("\x1e"))
    assert signalr["target"] == "EventDeletedStatusChange"
    assert signalr["arguments"] == [{"eventId": sent.id, "audienceId": event.audience, "isDeleted": True}]
    assert SseWire().render(event).startswith("event: deleted\n")


class Listeners:
    """As much of a hub as badges need: it writes down what it is handed."""

    heartbeat = Heartbeat(15.0)

    def __init__(self, deaf=()):
        self.delivered, self.corrected = [], {}
        tab = SimpleNamespace(format=SimpleNamespace(wire=SimpleNamespace(counts=True)))
        self.listeners = SimpleNamespace(
            beside=lambda audience: {user: [f"{user}'s tab"] for user in deaf}, of=lambda audience: [tab]
        )

    def in_turn(self, call, unread):
        self.corrected |= unread

    def deliver(self, event):
        self.delivered.append(event)


def test_after_the_recall_of_a_broadcast_connected_users_get_their_count(broker):
    for user_id in ("ada", "bob"):
        membership.join(user_id, ADMINS)
    send_notification("ada", "No mistake")
    row = send_notification(ADMINS, "A mistake")
    inbox.catch_up("ada")
    recall(row.id, by="staff")
    hub = Listeners()
    Settling(hub, run=None).settle(Open({"ada", "bob"}, recalled=[(broker.events[-1], {"ada", "bob"})]))
    assert hub.corrected == {"ada": 1, "bob": 0}


def test_who_left_the_group_loses_it_too(broker):
    membership.join("ada", ADMINS)
    row = send_notification(ADMINS, "A mistake")
    inbox.catch_up("ada")
    membership.leave("ada", ADMINS)
    recall(row.id, by="staff")
    hub = Listeners(["ada", "bob"])
    Settling(hub, run=None).settle(Open(recalled=[(broker.events[-1], set())]))
    assert [(event.kind, event.audience, event.data["unread"]) for event in hub.delivered] == [
        ("recalled", "user:ada", 0)
    ]


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


def test_recalling_writes_who_did_it_once(entries):
    entry, _ = staff.send("ada", Audience.everyone(), "Hello")
    assert recall(entry.notification_id, by="cy")
    assert not recall(entry.notification_id, by="bob")
    assert entries() == [("ada", "send", "global"), ("cy", "recall", "global")]
    assert audit.recalls([entry.notification_id])[entry.notification_id].actor_id == "cy"


def test_many_holders_are_told_in_parts(broker, monkeypatch):
    monkeypatch.setattr("notiway.store.writing.holders.__defaults__", ("", 1))
    sent = send_notification(["ada", "bob", "cy"], "Hi")
    broker.clear()
    assert recall(sent.id, by="grace")
    assert broker.kinds == [("recalled", f"user:{each}") for each in ("ada", "bob", "cy")]


def test_of_many_holders_those_are_told_who_are_connected(broker, monkeypatch):
    monkeypatch.setattr(events, "MANY", 2)
    monkeypatch.setattr("notiway.store.writing.holders.__defaults__", ("", 2))
    monkeypatch.setattr(runtime.current(), "heard_among", lambda audiences: ["user:bob"], raising=False)
    sent = send_notification(["ada", "bob", "cy"], "Hi")
    broker.clear()
    assert recall(sent.id, by="grace")
    assert broker.kinds == [("recalled", "user:bob"), ("recalled", "user:cy")]  # the last part is a small one
