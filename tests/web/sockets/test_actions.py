"""Actions of WebSocket clients: whatever fails, whoever asked is answered."""

import json

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
