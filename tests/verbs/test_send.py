"""Sending: rows in one transaction, then what happened is published, once."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from fresh import Undo, stored

from notiway.live import runtime
from notiway.store import inbox, membership, sql
from notiway.store.database import db
from notiway.store.log import counting, positions, resuming
from notiway.store.tables import InboxItem, Notification
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.errors import InvalidNotification, NotFound
from notiway.values.kinds.action import Action
from notiway.values.kinds.actor import Actor
from notiway.verbs import events, items
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
    assert (event.kind, event.audience, set(event.data)) == ("created", key, {"notification", "position"})
    assert event.data["position"] == positions.of([sent.id])[sent.id]
    assert event.data["notification"]["id"] == sent.id


@pytest.mark.parametrize("persist", [True, False])
def test_a_body_is_taken_as_it_was_when_it_was_sent(persist, broker):
    body = {"lines": [1]}
    with db.atomic():
        send_notification("ada", "Hi", body=body, persist=persist)
        body["lines"].append(2)
        body["more"] = body
    assert broker.events[0].data["notification"]["body"] == {"lines": [1]}


@pytest.mark.parametrize("persist", [True, False])
def test_live_and_stored_the_body_is_what_json_makes_of_it(persist, broker):
    sent = send_notification("ada", "Hi", body={"pair": (1, 2), 7: None, "n": 1.5}, persist=persist)
    plain = {"pair": [1, 2], "7": None, "n": 1.5}
    assert broker.events[0].data["notification"]["body"] == sent.body == plain
    if persist:
        assert inbox.get("ada", sent.id).body == plain


def test_what_expires_leaves_list_and_count(monkeypatch):
    send_notification("ada", "Hi", expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert inbox.unread_count("ada") == len(inbox.feed("ada").items) == 1
    later = now_ms() + 3_600_001
    for module in (inbox, counting):
        monkeypatch.setattr(module, "now_ms", lambda: later)
    assert inbox.unread_count("ada") == len(inbox.feed("ada").items) == 0


@pytest.mark.parametrize("to", ["ada", ["ada", "bob"], EVERYONE])
def test_the_same_dedupe_key_again_sends_nothing_and_returns_the_first(to, broker):
    first = send_notification(to, "first", dedupe_key="k")
    broker.clear()
    second = send_notification("bob", "second", dedupe_key="k")
    assert (second.id, second.title) == (first.id, "first")
    assert broker.events == []
    assert Notification.select().count() == 1


@pytest.mark.parametrize("first", [True, False])
def test_the_same_dedupe_key_rings_once_kept_or_not(first, broker):
    send_notification("ada", "first", dedupe_key="k", persist=first)
    send_notification("ada", "second", dedupe_key="k", persist=not first)
    assert [event.data["notification"]["title"] for event in broker.events] == ["first"]
    assert Notification.select().count() == first


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
        assert event.data["notification"]["audience"] == event.audience, "each user sees itself addressed"
        assert event.data["notification"]["persisted"] is False
        assert "unread" not in event.data
    assert resuming.page("ada", resuming.beginning(), 10).items == []
    with pytest.raises(NotFound):
        inbox.get("ada", sent.id)


def test_nothing_is_stored_for_a_connection_that_is_gone_tomorrow(broker):
    with pytest.raises(InvalidNotification, match="persist"):
        send_notification(Audience.connection("c1"), "Hi")
    assert broker.events == []


def test_what_is_not_to_persist_may_replace_what_waits(broker):
    send_notification(["ada", "bob"], "45 %", persist=False, replaces="import:42")
    assert [(event.audience, event.data["coalesce"]) for event in broker.events] == [
        ("user:ada", "import:42"), ("user:bob", "import:42"),
    ]  # fmt: skip


def test_nothing_is_replaced_because_of_what_it_says(broker):
    send_notification("ada", "Hi", persist=False, group_key="post:1", body={"taskId": "7", "metric": "cpu"})
    assert "coalesce" not in broker.events[0].data


@pytest.mark.parametrize(
    ("replaces", "persist"), [("import:42", True), ("", False), (5, False), ("x" * 201, False), ("a\x00", False)]
)
def test_what_is_kept_replaces_nothing_and_the_key_is_a_label(replaces, persist, broker):
    with pytest.raises(InvalidNotification) as caught:
        send_notification("ada", "Hi", persist=persist, replaces=replaces)
    assert {fault.path for fault in caught.value.faults} == {"replaces"}
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


@pytest.mark.parametrize("persist", [True, False])
def test_a_fault_while_the_bell_rings_is_not_told_to_whoever_sent(broker, monkeypatch, caplog, persist):
    """What is stored is stored: whoever was told of a fault would send it again."""
    monkeypatch.setattr("notiway.verbs.send.created", lambda *args, **options: 1 / 0)
    own = []
    with db.atomic():
        send_notification("ada", "Hi", persist=persist)
        db.obj.after_commit(lambda: own.append(1))
    assert own == [1]
    assert Notification.select().count() == persist
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("persist", [True, False])
def test_many_recipients_are_told_in_parts_while_others_run(broker, monkeypatch, persist):
    heard = []
    monkeypatch.setattr(sql, "pause", lambda: heard.append(len(broker.events)))
    monkeypatch.setattr("notiway.verbs.send.TOLD_AT_ONCE", 2)
    send_notification(["ada", "bob", "cy"], "Hi", persist=persist)
    assert [audience for _, audience in broker.kinds] == ["user:ada", "user:bob", "user:cy"]
    assert heard[-1] == 2


@pytest.mark.parametrize("persist", [True, False])
def test_of_many_recipients_those_are_told_who_are_connected_and_all_get_it(broker, monkeypatch, persist):
    monkeypatch.setattr(events, "MANY", 3)
    monkeypatch.setattr(runtime.current(), "heard_among", lambda audiences: ["user:bob"], raising=False)
    send_notification(["ada", "bob", "cy"], "Hi", persist=persist)
    assert [audience for _, audience in broker.kinds] == ["user:bob"]
    assert [inbox.unread_count(user) for user in ("ada", "bob", "cy")] == [persist] * 3


def test_a_kind_says_what_a_call_does_not(broker):
    runtime.current().kinds.declare("order-shipped", label="Shipped", icon="truck", category="orders", priority="high")
    send_notification("ada", "Hi", name="order-shipped")
    send_notification("ada", "Hi", name="order-shipped", priority="low", icon="bell")
    send_notification("ada", "Hi", name="undeclared")
    found = [(item.priority, item.icon, item.category) for item in inbox.feed("ada").items[::-1]]
    assert found == [("high", "truck", "orders"), ("low", "bell", "orders"), ("medium", None, None)]
    told = [event.data["notification"]["details"] for event in broker.events]
    assert told == [{"icon": "truck", "category": "orders"}, {"icon": "bell", "category": "orders"}, None]


@pytest.mark.parametrize("to", ["ada", EVERYONE])
def test_pictures_and_actions_are_stored_and_told(to, broker):
    actor = Actor("Ada", image="/ada.png", url="/people/ada")
    actions = [Action("Approve", "/approve", method="post", style="primary"), Action("Look", "https://a.example/")]
    send_notification(to, "Hi", actor=actor, image="/parcel.png", actions=actions)
    (item,) = inbox.feed("ada").items
    assert (item.actor, item.avatar, item.actor_url, item.image) == ("Ada", "/ada.png", "/people/ada", "/parcel.png")
    assert item.actions == [each.as_dict() for each in actions]
    (event,) = broker.events
    assert event.data["notification"]["details"] == item.details


def test_every_fault_of_what_is_rich_is_named_with_the_others(broker):
    actions = [Action("Approve", method="post"), Action("Run", "javascript:alert(1)")]
    with pytest.raises(InvalidNotification) as caught:
        send_notification("ada", "", actor=Actor("", image="x"), icon="A", image="x", actions=actions)
    assert [fault.path for fault in caught.value.faults] == [
        "title", "icon", "image", "actor.image", "actions[1].url", "actor"
    ]  # fmt: skip
    with pytest.raises(InvalidNotification, match="needs a handler"):
        send_notification("ada", "Hi", actions=actions[:1])
    with pytest.raises(InvalidNotification, match="need a notification that is stored"):
        send_notification("ada", "Hi", actions=[Action("Approve", "/approve", method="post")], persist=False)
    assert stored() == (0, 0)
    assert broker.events == []
