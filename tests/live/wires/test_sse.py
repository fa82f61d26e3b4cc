"""The SSE wire: every kind of Event as lines for EventSource (WHATWG HTML §9.2)."""

import json

import pytest

from notiway.live.wires.sse import SseWire
from notiway.values.event import KINDS, Event
from notiway.values.item import Item

wire = SseWire()


def an_item(**values):
    given = {"name": "disk-full", "type": "error", "priority": "urgent", "title": "T", "message": "M", "created_at": 7}
    return Item(id="id-1", audience="user:42", **given | values).as_dict()


def events(event):
    """The events that a client would see: name, id, data."""
    text = wire.render(event) or ""
    assert text == "" or text.endswith("\n\n")
    seen = []
    for block in text.split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        assert set(fields) <= {"event", "id", "data"}
        seen.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
    return seen


def test_a_notification_has_the_fields_of_the_published_client_and_an_id_to_resume_from():
    first, count = events(Event("created", "user:42", {"notification": an_item(group_key="g"), "unread": 3}))
    name, event_id, data = first
    assert (name, event_id) == ("notification", "id-1")
    wanted = {"id": "id-1", "type": "error", "title": "T", "body": "M", "priority": "urgent", "timestamp": 7}
    assert data.items() >= (wanted | {"read": False, "groupKey": "g"}).items()
    assert count == ("unread", None, {"unreadCount": 3})


def test_what_is_stored_nowhere_has_no_id_to_resume_from():
    ((_, event_id, data),) = events(Event("created", "user:42", {"notification": an_item(persisted=False)}))
    assert (event_id, data["id"]) == (None, "id-1")


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("read", "read", {"read": True}),
        ("unread", "read", {"read": False}),
        ("deleted", "deleted", {}),
        ("recalled", "deleted", {}),
    ],
)
def test_a_change_is_told_item_by_item(kind, name, said):
    *changes, count = events(Event(kind, "user:42", {"ids": ["a", "b"], "items": [], "unread": 1}))
    assert changes == [(name, None, {"notificationId": each, **said, "unreadCount": 1}) for each in ("a", "b")]
    assert count[0] == "unread"


def test_reading_all_is_one_event():
    first, _ = events(Event("read_all", "user:42", {"before": "b", "items": [], "unread": 0}))
    assert first == ("read", None, {"all": True, "before": "b", "read": True, "unreadCount": 0})


def test_what_is_restored_comes_again():
    first, _ = events(Event("restored", "user:42", {"notifications": [an_item()], "items": [], "unread": 1}))
    assert first[:2] == ("notification", "id-1")


def test_a_count_is_a_count_and_a_kick_is_nothing():
    assert events(Event("sync", "user:42", {"unread": 5})) == [("unread", None, {"unreadCount": 5})]
    assert wire.render(Event("kick", "user:42", {"session": None})) is None


def test_it_begins_with_the_connections_id_and_an_id_to_resume_from():
    first, second = wire.connected("c1", 2, "id-9").split("\n\n")[:-1]
    assert json.loads(first.partition("data: ")[2]) == {"connectionId": "c1", "unreadCount": 2}
    assert second.split("\n")[:2] == ["event: unread", "id: id-9"]
    assert "id: " not in wire.connected("c1", 2)


def test_a_reset_moves_the_client_on():
    assert wire.reset("id-9") == "event: reset\nid: id-9\ndata: {}\n\n"


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\n\nevent: fake\ndata: {}", "ä😀\u2028"])
def test_no_text_can_break_out_of_its_line(kind, text):
    item = an_item(title=text, message=text, body={"text": text})
    data = {"notification": item, "notifications": [item], "ids": ["a"], "items": [], "answer": None, "unread": 0}
    for name, _, said in events(Event(kind, "user:42", data)):
        assert name != "fake"
        if name == "notification":
            assert (said["title"], said["body"], said["payload"]) == (text, text, {"text": text})


def test_what_is_restored_comes_without_what_cannot_be_told():
    items = [an_item(), an_item(expires_at=10**15)]
    said = events(Event("restored", "user:42", {"notifications": items, "unread": 1}))
    assert [name for name, _, _ in said] == ["notification", "unread"]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\r", "\n"])
def test_no_text_ends_a_line_for_a_client_that_splits_as_python_does(separator):
    """`requests.iter_lines` does: it would hand over half of a JSON text."""
    item = an_item(title=f"a{separator}b", body={f"c{separator}": f"d{separator}"})
    told = wire.render(Event("created", "user:42", {"notification": item}))
    [data] = [line for line in told.splitlines() if line.startswith("data: ")]
    values = json.loads(data.removeprefix("data: "))
    assert (values["title"], values["payload"]) == (item["title"], item["body"])


def test_what_became_of_a_button_is_told():
    answer = {"status": "done", "by": "ada"}
    assert events(Event("answered", "user:42", {"ids": ["a"], "items": [], "answer": answer})) == [
        ("answered", None, {"notificationId": "a", "answer": answer})
    ]
