"""A recall on a real server: every connected device hears it once, with the right count, whatever it speaks."""

import json

import pytest
from servers import wait_until

from server.talk import inbox, listen, new_visitor, open_socket

HANDSHAKE = '{"protocol":"json","version":1}\x1e'
SEPARATOR = "\x1e"


@pytest.fixture
def staff(site):
    return site.sign_in("staff@example.com")


def send(staff, to, title="A mistake"):
    answer = staff.post("/staff/send", json={"to": to, "title": title, "confirm": "global"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def recall(staff, notification_id):
    assert staff.post(f"/staff/sent/{notification_id}/recall").json()["recalled"]


def hear(listener, event):
    """The data of the next message of that kind."""
    return listener.hear_all(until=lambda message: message["event"] == event)[-1]["data"]


@pytest.mark.parametrize("to", ["global", "group:recallers", "user"])
def test_a_recall_reaches_json_clients_and_corrects_their_count(site, staff, to):
    ada, bob = (new_visitor(site, "recallers") for _ in range(2))
    keys = [f"user:{ada.id}", f"user:{bob.id}"] if to == "user" else [to]
    with listen(ada) as hers, listen(bob) as his:
        sent = send(staff, keys)
        assert sent["online"] >= 2
        for listener in (hers, his):
            assert hear(listener, "notification")["title"] == "A mistake"
        wait_until(lambda: inbox(ada)[1] == inbox(bob)[1] == 1, 10)
        recall(staff, sent["notificationId"])
        for listener in (hers, his):
            assert hear(listener, "recalled")["notificationIds"] == [sent["notificationId"]]
        for visitor, listener in ((ada, hers), (bob, his)):
            assert listener.ask("ping")["data"]["unreadCount"] == 0
            assert inbox(visitor) == ([], 0)
    with listen(ada, since="") as again:
        assert again.ask("ping")["event"] == "pong", "it is not replayed"


def test_html_signalr_and_sse_clients_hear_it_too(site, staff):
    ada = new_visitor(site)
    headers = {"Accept": "text/event-stream"}
    with (
        open_socket(site, ada.cookie, {"format": "html"}) as html,
        open_socket(site, ada.cookie, headers={}, url=f"ws://127.0.0.1:{site.port}/hub") as hub,
        ada.get("/api/notifications/stream", headers=headers, stream=True) as stream,
    ):
        hub.send(HANDSHAKE)
        assert hub.recv(timeout=60) == "{}" + SEPARATOR
        lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
        assert html.recv(timeout=60)
        sent = send(staff, f"user:{ada.id}")["notificationId"]
        recall(staff, sent)
        frames = [html.recv(timeout=60)]
        while "recalled" not in frames[-1]:
            frames.append(html.recv(timeout=60))
        assert sent in frames[-1]
        calls = []
        while "EventDeletedStatusChange" not in [call.get("target") for call in calls]:
            calls += [json.loads(text) for text in hub.recv(timeout=60).split(SEPARATOR) if text]
        [change] = calls[-1]["arguments"]
        assert (change["audienceId"], change["isDeleted"]) == (f"user:{ada.id}", True)
        assert change["eventId"] == next(
            call["arguments"][0]["id"] for call in calls if call.get("target") == "notification"
        )
        assert next(line for line in lines if line == "event: deleted")
