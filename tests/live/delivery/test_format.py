"""Format: an Event is rendered once for all who speak alike; one that fails is left out, and nothing else."""

import json
import logging

import pytest
from pair import counts, created, item, json_format, settle, sync

from notiway.live.carriers.hub_protocol import SignalRTransport
from notiway.live.carriers.websocket import WebSocketTransport
from notiway.live.delivery.format import Format
from notiway.live.wires.json import JsonWire
from notiway.live.wires.signalr import SignalRWire
from notiway.values.event import Event


def test_an_event_is_rendered_once_for_all_who_speak_alike(hub, connect, speech, monkeypatch):
    rendered = []
    encode = type(speech.transport).encode
    monkeypatch.setattr(type(speech.transport), "encode", lambda *args: (rendered.append(1), encode(*args))[1])
    clients = [connect(str(number))[1] for number in range(20)]
    hub.deliver(sync(1))
    assert [counts(client, 1) for client in clients] == [[1]] * 20
    assert len(rendered) == 1


def test_what_a_wire_has_nothing_to_say_of_is_not_sent(hub, connect):
    _, client = connect()
    hub.deliver(Event("kick", "user:ada", {"session": "another", "code": 4009}))
    hub.deliver(sync(1))
    assert counts(client, 1) == [1]


@pytest.mark.parametrize("kind", ["read_all", "restored", "deleted"])
def test_a_change_of_no_items_sends_signalr_clients_no_empty_frame(kind):
    """ "Mark all" where nothing is unread."""
    format = Format(SignalRWire(), SignalRTransport(lambda connection, text: None, 1_000))
    event = Event(kind, "user:ada", {"items": [], "notifications": [], "ids": [], "before": None, "unread": 0})
    assert format.render([event]) == (b"", [])
    assert format.frame("") is None


def test_a_badge_that_waits_is_superseded_by_the_next(hub, connect):
    connection, client = connect()
    hub.deliver(Event("created", "user:ada", {"notification": item(1, body={"x": "y" * 30_000}), "unread": 1}))
    settle(hub.reactor)
    assert connection.backlog
    for number in range(1, 200):
        hub.deliver(sync(number))
        settle(hub.reactor)
    assert len(connection.backlog) <= 3
    client.read(1)
    assert counts(client, 1) == [199]


@pytest.mark.parametrize(
    ("event", "key", "item_id"),
    [
        (sync(1), "unread", None),
        (created(1), None, "id-1"),
        (created(1, coalesce="import:1"), "user:ada import:1", "id-1"),
    ],
)
def test_a_frame_names_what_supersedes_it_and_the_item_in_it(speech, event, key, item_id):
    joined, [frame] = speech.render([event])
    assert frame[:3] == (joined, key, item_id)


# One that fails


class Choosy(JsonWire):
    """Cannot show what has this id, nor say what is no text."""

    name = "choosy"

    def render(self, event):
        shown = super().render(event)
        if event.data["notification"]["id"] == "id-2":
            raise ZeroDivisionError("the template divides by zero")
        return shown


class Halves(JsonWire):
    """Makes a text that no socket can carry."""

    name = "halves"

    def render(self, event):
        return super().render(event) + ("\ud800" if event.data["notification"]["id"] == "id-2" else "")


def format_of(wire):
    return Format(wire, WebSocketTransport(lambda connection, text: None, 32 * 1024))


@pytest.mark.parametrize("wire", [Choosy(), Halves()], ids=lambda wire: wire.name)
def test_an_event_that_fails_is_logged_once_and_its_neighbours_go_on(wire, caplog):
    format = format_of(wire)
    with caplog.at_level(logging.ERROR):
        joined, single = format.render([created(1), created(2), created(3)])
    assert [frame.item_id for frame in single] == ["id-1", "id-3"]
    assert joined == b"".join(frame.data for frame in single)
    (record,) = caplog.records
    assert wire.name in record.getMessage()
    assert "id-2" in record.getMessage()
    assert record.exc_info


def test_what_is_no_event_of_ours_is_left_out_too(caplog):
    broken = Event("created", "user:ada", {})
    _, single = json_format().render([broken, created(1)])
    assert [frame.item_id for frame in single] == ["id-1"]
    assert "user:ada" in caplog.text


@pytest.mark.parametrize("wire", [Choosy(), Halves()], ids=lambda wire: wire.name)
def test_alone_it_is_nothing(wire, caplog):
    format = format_of(wire)
    assert format.frame(format.text(created(2))) is None
    assert len(caplog.records) == 1
    assert json.loads(format.text(created(1)))["data"]["id"] == "id-1"


def test_what_waits_is_replaced_within_its_audience_only():
    loads = [
        Event("created", audience, {"notification": item(number, persisted=False), "coalesce": "load"})
        for number, audience in enumerate(("group:a", "group:b", "group:a"))
    ]
    keys = [frame.key for frame in json_format().render(loads)[1]]
    assert keys[0] == keys[2] != keys[1]
    assert "unread" not in keys
    assert json_format().render([sync(1)])[1][0].key == "unread"


@pytest.fixture
def drawn(monkeypatch):
    """The counts that a wire was asked to draw."""
    drawn = []
    heartbeat = JsonWire.heartbeat
    monkeypatch.setattr(JsonWire, "heartbeat", lambda self, unread: (drawn.append(unread), heartbeat(self, unread))[1])
    return drawn


def test_a_badge_is_drawn_once_for_each_count(speech, drawn):
    frames = [speech.badge(unread) for unread in (0, 1, 100) for _ in range(50)]
    assert drawn == [0, 1, 100]
    assert frames[0] == speech.transport.encode(speech.wire.heartbeat(0))
    assert len(set(frames)) == 3


def test_while_templates_are_written_a_badge_is_drawn_each_time(speech, drawn, monkeypatch):
    monkeypatch.setattr(JsonWire, "redraws", True)
    assert [speech.badge(1) for _ in range(3)] == [speech.badge(1)] * 3
    assert drawn == [1] * 4


def test_clients_that_count_for_themselves_have_no_badge():
    assert Format(SignalRWire(), SignalRTransport(lambda *_: None, 1024)).badge(1) is None


def test_a_badge_that_fails_is_none_and_is_tried_again(speech, monkeypatch, caplog):
    with monkeypatch.context() as broken:
        broken.setattr(JsonWire, "heartbeat", lambda self, unread: 1 / 0)
        assert speech.badge(1) is None
    assert "json wire cannot show a count" in caplog.text
    assert speech.badge(1)


@pytest.mark.parametrize(
    ("event", "unread", "is_fresh"),
    [
        (created(1), None, True),
        (created(1, unread=4), 4, False),
        (Event("created", "global", {"notification": item(1, persisted=False)}), None, False),
        (sync(2), 2, False),
        (Event("recalled", "global", {"ids": ["id-1"], "items": []}), None, False),
        (Event("recalled", "user:ada", {"ids": ["id-1"], "items": [], "unread": 3}), 3, False),
    ],
)
def test_a_frame_says_what_it_does_to_the_count(speech, event, unread, is_fresh):
    _, [frame] = speech.render([event])
    assert (frame.unread, frame.is_fresh) == (unread, is_fresh)
