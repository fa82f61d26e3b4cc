"""What a WebSocket client may say: whatever it is and whatever fails, it is answered, and costs nothing else."""

import json

import pytest

from notiway.store import inbox
from notiway.web.sockets import actions


def test_an_action_is_answered_with_the_code_unavailable(app, user, running, connection, trouble):
    actions.handler(app)(connection("json"), json.dumps({"action": "markAsRead", "notificationId": trouble}))
    (told,) = map(json.loads, running.told)
    assert (told["event"], told["data"]["code"]) == ("error", "Unavailable")
    assert "Try again" in told["data"]["message"]


def test_an_action_that_meets_a_fault_of_ours_is_answered_too(app, running, connection, monkeypatch, caplog):
    monkeypatch.setattr(inbox, "unread_count", lambda user_id: 1 / 0)
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
    ],
)
def test_what_cannot_be_done_is_answered_with_an_error(say, text):
    answer = say(text)
    assert answer["event"] == "error"
    assert answer["data"]["code"] in {"WrongInput", "NotSupported", "NotFound", "Forbidden"}
    assert say('{"action": "ping"}')["event"] == "pong"
