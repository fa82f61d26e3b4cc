"""The SignalR wire: every kind of Event as invocations, by the names that the contract fixes."""

import json

import pytest

from notiway.live.wires.signalr import SignalRWire, audience_id, tenant_of
from notiway.values.event import KINDS, Event
from notiway.values.item import Item

wire = SignalRWire()
END = "\x1e"


def an_item(**values):
    given = {"audience": "group:acme:ops", "dedupe_key": "order-1", "body": {"orderId": 1}, "producer": "orders"}
    shown = {"name": "order-shipped", "type": "info", "priority": "high", "title": "T", "message": "M"}
    return Item(id="id-1", created_at=0, **shown, **given | values)


def calls(event):
    text = wire.render(event)
    return [] if not text else [json.loads(part) for part in text[:-1].split(END)]


def changed(kind, **data):
    items = [{"id": f"id-{n}", "public_id": f"order-{n}", "audience": "user:42"} for n in range(2)]
    return calls(Event(kind, "user:42", {"items": items, "ids": ["id-0", "id-1"], "unread": 0, **data}))


def test_a_notification_is_a_call_of_its_own_name():
    item = an_item(group_key="g", expires_at=1_000, sent_at=500)
    (call,) = calls(Event("created", item.audience, {"notification": item.as_dict()}))
    assert call == {
        "type": 1,
        "target": "order-shipped",
        "arguments": [
            {
                "id": "order-1",
                "type": "order-shipped",
                "body": {"orderId": 1},
                "audienceId": "group:acme:ops",
                "tenantId": "acme",
                "priority": "high",
                "groupKey": "g",
                "isRead": False,
                "isDeleted": False,
                "metadata": {
                    "producer": "orders",
                    "timeStamp": "1970-01-01T00:00:00.500Z",
                    "isPersisted": True,
                    "persistedTTL": "1970-01-01T00:00:01.000Z",
                },
            }
        ],
    }


def test_what_was_sent_from_python_goes_by_our_id_and_has_its_texts_as_body():
    item = an_item(dedupe_key=None, body=None, read_at=1, deleted_at=1)
    (call,) = calls(Event("created", item.audience, {"notification": item.as_dict()}))
    (shown,) = call["arguments"]
    assert shown["id"] == "id-1"
    assert shown["body"] == {"title": "T", "message": "M", "severity": "info", "actionUrl": None}
    assert (shown["isRead"], shown["isDeleted"]) == (True, True)


@pytest.mark.parametrize(
    ("kind", "target", "state"),
    [
        ("read", "EventReadStatusChange", {"isRead": True}),
        ("read_all", "EventReadStatusChange", {"isRead": True}),
        ("unread", "EventReadStatusChange", {"isRead": False}),
        ("deleted", "EventDeletedStatusChange", {"isDeleted": True}),
        ("recalled", "EventDeletedStatusChange", {"isDeleted": True}),
        ("restored", "EventDeletedStatusChange", {"isDeleted": False}),
    ],
)
def test_a_change_is_told_item_by_item(kind, target, state):
    first, second = changed(kind, notifications=[])
    assert first == {
        "type": 1,
        "target": target,
        "arguments": [{"eventId": "order-0", "audienceId": "user:42", **state}],
    }
    assert second["arguments"][0]["eventId"] == "order-1"


def test_what_is_restored_comes_whole_for_a_client_that_connected_while_it_was_deleted():
    item = an_item()
    named = [{"id": item.id, "public_id": item.public_id, "audience": item.audience}]
    data = {"items": named, "notifications": [item.as_dict()], "unread": 1}
    back, whole = calls(Event("restored", "user:42", data))
    assert (back["target"], back["arguments"][0]["isDeleted"]) == ("EventDeletedStatusChange", False)
    assert (whole["target"], whole["arguments"][0]["id"]) == (item.name, back["arguments"][0]["eventId"])


def test_of_what_is_restored_only_what_cannot_be_told_is_left_out(caplog):
    bad = an_item().as_dict() | {"id": "bad", "created_at": None, "sent_at": None}
    data = {"items": [], "notifications": [bad, an_item().as_dict()], "unread": 1}
    assert len(calls(Event("restored", "user:42", data))) == 1
    assert "notification bad is left out" in caplog.text


@pytest.mark.parametrize("kind", ["sync", "kick"])
def test_the_rest_is_not_for_these_clients(kind):
    assert calls(Event(kind, "user:42", {"unread": 1, "session": None})) == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_nothing_asks_for_an_answer(kind):
    data = {"notification": an_item().as_dict(), "items": [], "ids": [], "notifications": [], "unread": 0}
    assert all("invocationId" not in call for call in calls(Event(kind, "user:42", data)))


@pytest.mark.parametrize(
    ("key", "shown", "tenant"),
    [
        ("global", "global", None),
        ("tenant:acme", "tenant:acme", "acme"),
        ("group:ops", "group:ops", None),
        ("group:acme:ops", "group:acme:ops", "acme"),
        ("user:a:b", "user:a:b", None),
        ("connection:abc", "abc", None),
    ],
)
def test_audiences_as_clients_name_them(key, shown, tenant):
    assert (audience_id(key), tenant_of(key)) == (shown, tenant)


def test_a_separator_in_a_text_does_not_end_its_message():
    item = an_item(body={"text": f"a{END}b"})
    (call,) = calls(Event("created", item.audience, {"notification": item.as_dict()}))
    assert call["arguments"][0]["body"]["text"] == f"a{END}b"


def test_what_is_rich_is_in_the_metadata_where_anything_is():
    actions = [{"name": "track", "label": "Track", "url": "/x", "method": "get", "style": "primary"}]
    item = an_item(actor="Ada", details={"icon": "truck", "actor": {"image": "/ada.png"}, "actions": actions})
    (call,) = calls(Event("created", item.audience, {"notification": item.as_dict()}))
    metadata = call["arguments"][0]["metadata"]
    assert metadata["icon"] == "truck"
    assert metadata["actor"] == {"name": "Ada", "image": "/ada.png"}
    assert metadata["actions"] == actions


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            {"action": "pay", "status": "done", "by": "42", "byName": "Ada", "press": "p"},
            {"action": "pay", "status": "done", "by": "42", "byName": "Ada", "message": None},
        ),
        (None, {"action": None, "status": "open", "by": None, "byName": None, "message": None}),
    ],
)
def test_what_became_of_a_button_is_a_call(answer, told):
    first, _ = changed("answered", answer=answer)
    assert first["target"] == "EventActionStatusChange"
    assert first["arguments"] == [{"eventId": "order-0", "audienceId": "user:42", **told}]
