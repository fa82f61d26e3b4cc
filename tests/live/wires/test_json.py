"""The JSON wire: the texts of the contract, letter by letter."""

import json

import pytest

from notiway.live.wires.json import JsonWire, iso, notification_dict, notification_list
from notiway.values.event import KINDS, Event
from notiway.values.item import Item

WIRE = JsonWire()
ITEM = Item(
    "id-1", "user:ada", "order-shipped", "success", "high", "Hi", "there", 1_700_000_000_123, body={"n": [1]},
    action_url="/x", group_key="g", source="s", actor="a", producer="app", expires_at=1_800_000_000_000, seen_at=1,
).as_dict()  # fmt: skip
SEEN_BY_CLIENTS = {
    "id": "id-1",
    "name": "order-shipped",
    "type": "success",
    "priority": "high",
    "title": "Hi",
    "message": "there",
    "body": {"n": [1]},
    "actionUrl": "/x",
    "groupKey": "g",
    "source": "s",
    "actor": "a",
    "actorImage": None,
    "actorUrl": None,
    "icon": None,
    "category": None,
    "image": None,
    "actions": [],
    "answer": None,
    "producer": "app",
    "audienceId": "user:ada",
    "persisted": True,
    "createdAt": "2023-11-14T22:13:20.123Z",
    "timestamp": 1_700_000_000_123,
    "expiresAt": "2027-01-15T08:00:00.000Z",
    "seen": True,
    "read": False,
    "archived": False,
    "snoozedUntil": None,
}
MESSAGES = [
    ("created", {"notification": ITEM, "unread": 3}, "notification", {**SEEN_BY_CLIENTS, "unreadCount": 3}),
    ("created", {"notification": ITEM}, "notification", SEEN_BY_CLIENTS),
    (
        "read",
        {"ids": ["a"], "unread": 2},
        "markedAsRead",
        {"notificationId": "a", "notificationIds": ["a"], "unreadCount": 2},
    ),
    (
        "unread",
        {"ids": ["a", "b"], "unread": 2},
        "markedAsUnread",
        {"notificationId": "a", "notificationIds": ["a", "b"], "unreadCount": 2},
    ),
    (
        "deleted",
        {"ids": ["a"], "unread": 0},
        "deleted",
        {"notificationId": "a", "notificationIds": ["a"], "unreadCount": 0},
    ),
    (
        "deleted",
        {"ids": ["a"], "unread": 0, "archived": True},
        "deleted",
        {"notificationId": "a", "notificationIds": ["a"], "unreadCount": 0, "archived": True},
    ),
    (
        "deleted",
        {"ids": ["a"], "unread": 0, "snoozed_until": 7},
        "deleted",
        {"notificationId": "a", "notificationIds": ["a"], "unreadCount": 0, "snoozedUntil": 7},
    ),
    (
        "read_all",
        {"before": "a", "unread": 1, "press": "p"},
        "markedAllAsRead",
        {"before": "a", "unreadCount": 1, "press": "p"},
    ),
    ("recalled", {"ids": ["a"]}, "recalled", {"notificationId": "a", "notificationIds": ["a"]}),
    ("read_all", {"before": "a", "unread": 1}, "markedAllAsRead", {"before": "a", "unreadCount": 1}),
    (
        "restored",
        {"notifications": [ITEM], "unread": 1},
        "restored",
        {"notificationId": "id-1", "notificationIds": ["id-1"], "notifications": [SEEN_BY_CLIENTS], "unreadCount": 1},
    ),
    (
        "answered",
        {"ids": ["a"], "answer": {"status": "done"}},
        "answered",
        {"notificationId": "a", "notificationIds": ["a"], "answer": {"status": "done"}},
    ),
    ("sync", {"unread": 5}, "pong", {"unreadCount": 5}),
    ("joined", {"unread": 5, "audience": "group:ops"}, "pong", {"unreadCount": 5}),
    ("left", {"unread": 5, "audience": "group:ops"}, "pong", {"unreadCount": 5}),
    ("settings", {"revision": 1, "sound": True}, "settings", {"revision": 1, "sound": True}),
]


@pytest.mark.parametrize(("kind", "data", "event", "expected"), MESSAGES)
def test_each_event_has_its_message(kind, data, event, expected):
    assert json.loads(WIRE.render(Event(kind, "user:ada", data))) == {"event": event, "data": expected}


def test_what_a_replay_left_out_is_told_with_where_it_is():
    told = json.loads(WIRE.incomplete("group:ops", 12))
    assert (told["event"], told["data"]["code"]) == ("error", "ReplayIncomplete")
    assert "12 older notifications of group:ops" in told["data"]["message"]


def test_every_kind_that_clients_hear_of_has_a_message():
    assert {kind for kind, *_ in MESSAGES} == KINDS - {"kick", "renewed", "read_each"}
    assert WIRE.render(Event("kick", "user:ada", {"session": None})) is None


def test_what_the_server_says_by_itself():
    assert json.loads(WIRE.connected("c", 3)) == {"event": "connected", "data": {"unreadCount": 3, "connectionId": "c"}}
    assert json.loads(WIRE.heartbeat(3)) == {"event": "pong", "data": {"unreadCount": 3}}
    assert json.loads(WIRE.error("NotFound", "no")) == {"event": "error", "data": {"code": "NotFound", "message": "no"}}


def test_texts_are_carried_as_they_are():
    hostile = {**ITEM, "title": '</script><script>"\n\u2028🔔', "message": "'; --"}
    seen = json.loads(WIRE.render(Event("created", "user:ada", {"notification": hostile})))["data"]
    assert (seen["title"], seen["message"]) == (hostile["title"], hostile["message"])


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (1_699_999_999_999, "2023-11-14T22:13:19.999Z"),
    ],
)
def test_times_are_iso_8601_in_utc(milliseconds, text):
    assert iso(milliseconds) == text


def test_what_is_read_says_so():
    assert notification_dict({**ITEM, "read_at": 0})["read"] is True
    assert notification_dict({**ITEM, "seen_at": None})["seen"] is False


@pytest.mark.parametrize("wrong", [{"expires_at": 10**15}, {"created_at": None}, {"id": "id-2", "expires_at": "never"}])
def test_an_item_that_cannot_be_told_is_logged_and_left_out_of_a_list(wrong, caplog):
    listed = notification_list([ITEM, ITEM | {"id": "id-2"} | wrong, ITEM | {"id": "id-3"}])
    assert [each["id"] for each in listed] == ["id-1", "id-3"]
    (record,) = caplog.records
    assert "id-2" in record.getMessage()


def test_what_is_restored_comes_without_what_cannot_be_told():
    items = [ITEM, ITEM | {"id": "id-2", "expires_at": 10**15}]
    said = json.loads(WIRE.render(Event("restored", "user:ada", {"notifications": items, "unread": 1})))
    assert said["data"]["notificationIds"] == ["id-1", "id-2"]
    assert [each["id"] for each in said["data"]["notifications"]] == ["id-1"]


def test_what_is_rich_comes_as_data():
    actions = [{"name": "track", "label": "Track", "url": "/x", "method": "get", "style": "primary"}]
    actor = {"image": "/ada.png", "url": "/people/ada"}
    details = {"icon": "truck", "category": "orders", "image": "/parcel.png", "actor": actor, "actions": actions}
    told = notification_dict({**ITEM, "details": details})
    assert told == {
        **SEEN_BY_CLIENTS,
        "icon": "truck",
        "category": "orders",
        "image": "/parcel.png",
        "actorImage": "/ada.png",
        "actorUrl": "/people/ada",
        "actions": actions,
    }


def test_an_event_of_an_older_version_has_nothing_rich():
    older = {name: value for name, value in ITEM.items() if name not in ("details", "answer")}
    assert notification_dict(older) == SEEN_BY_CLIENTS
