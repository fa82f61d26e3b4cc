"""Events and actions of the WebSocket (CONTRACT §4), under gunicorn and under `flask run`."""

import json

import pytest

from server.talk import burst, inbox, listen, new_visitor

UNKNOWN_ID = "01930000-0000-7000-8000-000000000000"


def test_a_new_connection_is_told_its_id_and_the_unread_count(ada):
    ada.notify("One")
    with listen(ada) as tab:
        assert tab.connected["unreadCount"] == 1
        assert len(tab.connected["connectionId"]) >= 16


def test_a_notification_reaches_every_tab_with_its_fields_and_the_count(ada):
    with listen(ada) as tab, listen(ada) as other_tab:
        sent = ada.notify("Invoice paid", "John paid $500", "success")
        for heard in (tab.hear_only("notification"), other_tab.hear_only("notification")):
            assert heard["unreadCount"] == 1
            assert {key: heard[key] for key in sent} == sent
            assert heard["title"] == "Invoice paid"
            assert heard["message"] == "John paid $500"
            assert heard["type"] == "success"
            assert heard["read"] is False
            assert heard["audienceId"] == f"user:{ada.id}"


def test_nobody_else_hears_it(ada, bob):
    with listen(ada) as tab, listen(bob) as stranger:
        ada.notify("For Ada only")
        tab.hear_only("notification")
        assert stranger.ask("ping") == {"event": "pong", "data": {"unreadCount": 0}}


@pytest.mark.parametrize("by", ["socket", "http"])
def test_reading_is_heard_by_every_tab(ada, by):
    first, _ = ada.notify("One"), ada.notify("Two")
    with listen(ada) as tab, listen(ada) as other_tab:
        if by == "socket":
            tab.say("markAsRead", notificationId=first["id"])
        else:
            assert ada.put(f"/notifications/{first['id']}/read").ok
        told = {"notificationId": first["id"], "notificationIds": [first["id"]], "unreadCount": 1}
        assert tab.hear_only("markedAsRead") == other_tab.hear_only("markedAsRead") == told
    assert [item["read"] for item in inbox(ada)[0]] == [False, True]


def test_unread_deleted_and_restored_are_heard(ada):
    one = ada.notify("One")["id"]
    with listen(ada) as tab:
        tab.say("markAsRead", notificationId=one)
        tab.hear_only("markedAsRead")
        tab.say("markAsUnread", notificationId=one)
        assert tab.hear_only("markedAsUnread")["unreadCount"] == 1
        tab.say("delete", notificationId=one)
        assert tab.hear_only("deleted") == {"notificationId": one, "notificationIds": [one], "unreadCount": 0}
        assert inbox(ada) == ([], 0)
        tab.say("restore", notificationId=one)
        back = tab.hear_only("restored")
        assert (back["notificationId"], back["unreadCount"]) == (one, 1)
        assert back["notifications"][0]["title"] == "One"


def test_mark_all_leaves_what_came_after_the_cutoff_unread(ada):
    ids = [ada.notify(f"Number {number}")["id"] for number in range(3)]
    with listen(ada) as tab:
        presses = []
        for before, unread in ((ids[1], 1), (None, 0)):
            tab.say("markAllAsRead", **({} if before is None else {"before": before}))
            heard = tab.hear_only("markedAllAsRead")
            presses.append(heard.pop("press"))
            assert heard == {"before": before or ids[2], "unreadCount": unread}
        assert len(set(presses)) == len(presses)


def test_a_ping_is_answered_with_the_unread_count(ada):
    with listen(ada) as tab:
        assert tab.ask("ping") == {"event": "pong", "data": {"unreadCount": 0}}


def test_messages_of_one_client_are_handled_in_their_order(ada):
    one = ada.notify("One")["id"]
    with listen(ada) as tab:
        for action in ("markAsRead", "markAsUnread") * 30:
            tab.say(action, notificationId=one)
        heard = [tab.hear()["event"] for _ in range(60)]
    assert heard == ["markedAsRead", "markedAsUnread"] * 30


BAD_MESSAGES = {
    "no JSON": ("{", "WrongInput"),
    "nothing": ("", "WrongInput"),
    "a list": ("[]", "WrongInput"),
    "a number": ("7", "WrongInput"),
    "null": ("null", "WrongInput"),
    "deep nesting": ("[" * 30_000, "WrongInput"),
    "no action": ("{}", "NotSupported"),
    "an unknown action": ('{"action": "explode"}', "NotSupported"),
    "an action that is an object": ('{"action": {"a": 1}}', "NotSupported"),
    "no id": ('{"action": "markAsRead"}', "WrongInput"),
    "an id that is a number": ('{"action": "delete", "notificationId": 5}', "WrongInput"),
    "an id that is none": ('{"action": "delete", "notificationId": "x"}', "NotFound"),
    "an id of nothing": (json.dumps({"action": "restore", "notificationId": UNKNOWN_ID}), "NotFound"),
    "an id with SQL": ('{"action": "markAsRead", "notificationId": "\' OR 1=1 --"}', "NotFound"),
    "a cutoff that is a list": ('{"action": "markAllAsRead", "before": []}', "WrongInput"),
    "a cutoff that is no id": ('{"action": "markAllAsRead", "before": "z"}', "WrongInput"),
    "a lone surrogate": ('{"action": "\\ud800"}', "NotSupported"),
    "a foreign group": ('{"action": "subscribe", "audience": "group:admins"}', "Forbidden"),
    "a foreign tenant": ('{"action": "subscribe", "audience": "tenant:acme"}', "Forbidden"),
    "another user": ('{"action": "subscribe", "audience": "user:42"}', "NotSupported"),
    "everybody": ('{"action": "subscribe", "audience": "global"}', "NotSupported"),
    "an audience that is none": ('{"action": "subscribe", "audience": "moon"}', "WrongInput"),
    "no audience": ('{"action": "subscribe"}', "WrongInput"),
}


@pytest.mark.parametrize(("text", "code"), BAD_MESSAGES.values(), ids=BAD_MESSAGES)
def test_a_bad_message_is_answered_with_an_error_and_the_connection_goes_on(visitor, text, code):
    with listen(visitor) as tab:
        tab.socket.send(text)
        error = tab.hear_only("error")
        assert error["code"] == code
        assert error["message"]
        assert tab.ask("ping")["event"] == "pong"


def test_html_frames_carry_the_item_and_the_badge(ada):
    with listen(ada, connected=False, format="html") as tab:
        connected = tab.socket.recv(timeout=60)
        assert 'data-notiway-event="connected"' in connected
        sent = ada.notify("Tea & <biscuits>")
        frame = tab.socket.recv(timeout=60)
        assert sent["id"] in frame
        assert "Tea &amp; &lt;biscuits&gt;" in frame
        assert 'hx-target="#notiway-incoming"' in frame
        tab.say("markAsRead", notificationId=sent["id"])
        assert 'data-notiway-event="read"' in tab.socket.recv(timeout=60)


def test_html_frames_of_two_viewers_of_a_group_are_the_same_bytes(site):
    with (
        new_visitor(site, "tea") as one,
        new_visitor(site, "tea") as other,
        listen(one, connected=False, format="html") as tab,
        listen(other, connected=False, format="html") as other_tab,
    ):
        tab.socket.recv(timeout=60), other_tab.socket.recv(timeout=10)
        burst(one, 1, group="tea")
        assert tab.socket.recv(timeout=60) == other_tab.socket.recv(timeout=10)


def test_a_group_is_heard_by_its_members_who_then_have_it_in_their_inboxes(site, visitor):
    with new_visitor(site, "coffee") as member, listen(member) as tab, listen(visitor) as stranger:
        burst(visitor, 1, group="coffee")
        assert tab.hear_only("notification")["audienceId"] == "group:coffee"
        assert tab.hear_only("pong") == {"unreadCount": 1}
        assert stranger.ask("ping")["data"] == {"unreadCount": 0}
        assert [item["title"] for item in inbox(member)[0]] == ["Burst 0"]


def test_who_leaves_a_subscription_hears_it_no_more(site):
    with new_visitor(site, "noise") as member, listen(member) as tab:
        tab.say("unsubscribe", audience="group:noise")
        assert tab.ask("ping")["event"] == "pong"
        burst(member, 1, group="noise", persist=False)
        assert tab.ask("ping")["event"] == "pong"
        tab.say("subscribe", audience="group:noise")
        assert tab.ask("ping")["event"] == "pong"
        burst(member, 1, group="noise", persist=False)
        assert tab.hear_only("notification")["title"] == "Burst 0"
