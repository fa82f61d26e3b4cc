"""Actions: what a WebSocket client may ask for, of its own user only. Whatever fails, it is answered."""

import json

import pytest
from pair import settle

from notiway.store import inbox
from notiway.store.database import db
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.ids import new_id
from notiway.web.sockets import actions

OPS = Audience.group("ops")


@pytest.fixture
def ask(app, now, ada):
    """Lets ada's client say something, an object or a text; the next messages that it hears."""
    connection, client = ada
    handle = actions.handler(app)

    def say(message, answers=1):
        settle(now.reactor)
        handle(connection, message if isinstance(message, str) else json.dumps(message))
        return [(each["event"], each["data"]) for each in map(json.loads, client.read(answers))]

    return say


@pytest.fixture
def mine(notify, ada):
    """A notification for ada, which her client has heard of."""
    notification_id = notify("ada")
    ada[1].read()
    return notification_id


def test_a_ping_is_answered_with_the_count(ask, mine):
    assert ask({"action": "ping"}) == [("pong", {"unreadCount": 1})]


@pytest.mark.parametrize(
    ("action", "event", "unread"),
    [("markAsRead", "markedAsRead", 0), ("markAsUnread", "markedAsUnread", 1), ("delete", "deleted", 0)],
)
def test_a_change_is_told_with_the_count(ask, mine, action, event, unread):
    ((told, data),) = ask({"action": action, "notificationId": mine})
    assert (told, data["notificationId"], data["unreadCount"]) == (event, mine, unread)
    assert inbox.unread_count("ada") == unread


def test_what_was_deleted_is_restored(ask, mine):
    ask({"action": "delete", "notificationId": mine})
    ((told, data),) = ask({"action": "restore", "notificationId": mine})
    assert (told, data["notificationId"], data["unreadCount"]) == ("restored", mine, 1)


@pytest.mark.parametrize(("cutoff", "left"), [(True, 1), (False, 0)])
def test_all_are_marked_up_to_the_one_that_was_shown(ask, mine, notify, ada, cutoff, left):
    later = notify("ada", "later")
    ada[1].read()
    ((told, data),) = ask({"action": "markAllAsRead", **({"before": mine} if cutoff else {})})
    assert data.pop("press"), "what undoes it"
    assert (told, data) == ("markedAllAsRead", {"before": mine if cutoff else later, "unreadCount": left})


def test_what_is_marked_together_is_undone_together(ask, mine):
    ((_, told),) = ask({"action": "markAllAsRead"})
    ((event, data),) = ask({"action": "undoMarkAllAsRead", "press": told["press"]})
    assert (event, data["notificationIds"], data["unreadCount"]) == ("markedAsUnread", [mine], 1)


@pytest.mark.parametrize(("action", "field"), [("archive", "archived"), ("snooze", "snoozedUntil")])
def test_what_is_put_away_is_told_as_deleted_and_comes_back(ask, mine, action, field):
    until = now_ms() + 3_600_000
    ((told, data),) = ask({"action": action, "notificationId": mine, "until": until})
    assert (told, data["notificationId"], data["unreadCount"]) == ("deleted", mine, 0)
    assert data[field] == (until if action == "snooze" else True)
    ((told, data),) = ask({"action": f"un{action}", "notificationId": mine})
    assert (told, data["notificationId"], data["unreadCount"]) == ("restored", mine, 1)


def test_a_subscription_is_heard_until_it_ends(ask, now, notify, ada):
    connection, client = ada
    connection.grants = (OPS.key,)
    ask({"action": "subscribe", "audience": OPS.key}, answers=0)
    settle(now.reactor)
    notify(OPS, "to the group", persist=False)
    ask({"action": "unsubscribe", "audience": OPS.key}, answers=0)
    settle(now.reactor)
    notify(OPS, "too late", persist=False)
    notify("ada", "to ada", persist=False)
    assert [json.loads(text)["data"]["title"] for text in client.read(2)] == ["to the group", "to ada"]


def test_a_newer_token_is_taken(ask, ada, token):
    ask({"action": "renew", "token": token("ada", audiences=("group:x",))}, answers=0)
    assert ada[0].grants == ("group:x",)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("", "WrongInput"),
        ("{", "WrongInput"),
        ("[" * 100_000, "WrongInput"),
        ([], "WrongInput"),
        ("7", "WrongInput"),
        ({}, "NotSupported"),
        ({"action": "explode"}, "NotSupported"),
        ({"action": ["ping"]}, "NotSupported"),
        ({"action": "markAsRead"}, "WrongInput"),
        ({"action": "archive"}, "WrongInput"),
        ({"action": "snooze", "notificationId": new_id()}, "WrongInput"),
        ({"action": "snooze", "notificationId": new_id(), "until": "soon"}, "WrongInput"),
        ({"action": "undoMarkAllAsRead", "press": "7"}, "WrongInput"),
        ({"action": "markAsRead", "notificationId": 7}, "WrongInput"),
        ({"action": "delete", "notificationId": ["x"]}, "WrongInput"),
        ({"action": "restore", "notificationId": None}, "WrongInput"),
        ({"action": "markAsUnread", "notificationId": "x"}, "NotFound"),
        ({"action": "markAllAsRead", "before": "x"}, "WrongInput"),
        ({"action": "markAllAsRead", "before": 7}, "WrongInput"),
        ({"action": "subscribe"}, "WrongInput"),
        ({"action": "subscribe", "audience": "moon"}, "WrongInput"),
        ({"action": "subscribe", "audience": {"a": 1}}, "WrongInput"),
        ({"action": "subscribe", "audience": "group:secret"}, "Forbidden"),
        ({"action": "subscribe", "audience": "user:bob"}, "NotSupported"),
        ({"action": "unsubscribe", "audience": "global"}, "NotSupported"),
        ({"action": "renew"}, "WrongInput"),
        ({"action": "renew", "token": "nonsense"}, "Unauthorized"),
    ],
)
def test_what_is_not_understood_is_answered_and_the_connection_goes_on(ask, message, code):
    ((event, data),) = ask(message)
    assert (event, data["code"]) == ("error", code)
    assert data["message"]
    assert ask({"action": "ping"}) == [("pong", {"unreadCount": 0})]


@pytest.mark.parametrize("action", ["markAsRead", "markAsUnread", "delete", "restore"])
@pytest.mark.parametrize("whose", ["bob", None])
def test_another_users_notification_is_not_found(ask, notify, action, whose):
    theirs = notify(whose) if whose else new_id()
    ((event, data),) = ask({"action": action, "notificationId": theirs})
    assert (event, data["code"]) == ("error", "NotFound")
    if whose:
        item = inbox.get("bob", theirs)
        assert (item.read_at, item.deleted_at) == (None, None)


def test_an_action_says_only_the_beginning_of_an_endless_name(ask):
    ((_, data),) = ask({"action": "x" * 10_000})
    assert len(data["message"]) < 100


def test_no_database_connection_is_held_after_a_message(app, ada):
    db.close()
    handle = actions.handler(app)
    for text in ('{"action": "ping"}', '{"action": "markAsRead", "notificationId": "x"}'):
        handle(ada[0], text)
        assert db.is_closed()


def test_an_action_is_answered_with_the_code_unavailable(app, user, running, connection, trouble):
    actions.handler(app)(connection("json"), json.dumps({"action": "markAsRead", "notificationId": trouble}))
    (told,) = map(json.loads, running.told)
    assert (told["event"], told["data"]["code"]) == ("error", "Unavailable")
    assert "Try again" in told["data"]["message"]


def test_an_action_that_meets_a_fault_of_ours_is_answered_too(app, running, connection, monkeypatch, caplog):
    monkeypatch.setattr(inbox, "arrive", lambda user_id: 1 / 0)
    actions.handler(app)(connection("json"), json.dumps({"action": "ping"}))
    (told,) = map(json.loads, running.told)
    assert (told["event"], told["data"]["code"]) == ("error", "Error")
    assert "division" not in told["data"]["message"]
    assert "ZeroDivisionError" in caplog.text


DEEP = "[" * 900 + "]" * 900


@pytest.fixture
def say(open_socket):
    """Says something as a client, and returns the answer."""
    connection, client = open_socket()

    def speak(text):
        connection.format.handle(connection, text)
        return json.loads(client.read()[0])

    return speak


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "NaN",
        "[" * 100_000,
        f'{{"action": {DEEP}}}',
        f'{{"action": "subscribe", "audience": {DEEP}}}',
        f'{{"action": "markAsRead", "notificationId": {DEEP}}}',
        '{"action": "subscribe", "audience": "group:\\ud800"}',
        '{"action": "\\ud800"}',
        '{"action": "markAsRead", "notificationId": "\\ud800"}',
        '{"action": "delete", "notificationId": "a\\u0000b"}',
        '{"action": "renew", "token": "\\ud800.a.b"}',
        '{"action": "renew", "token": "\\u0000"}',
        '{"action": "markAllAsRead", "before": "\\u0000"}',
    ],
)
def test_what_cannot_be_done_is_answered_with_an_error(say, text):
    answer = say(text)
    assert answer["event"] == "error"
    assert answer["data"]["code"] in {"WrongInput", "NotSupported", "NotFound", "Forbidden", "Unauthorized"}
    assert say('{"action": "ping"}')["event"] == "pong"
