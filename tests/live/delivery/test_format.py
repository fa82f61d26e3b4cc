"""Format: an Event is rendered once for all who speak alike; one that fails is left out, and nothing else."""

import json
import logging

import pytest
from pair import counts, created, item, json_format, make_pair, settle, sync

from notiway.live.carriers.hub_protocol import SignalRTransport
from notiway.live.carriers.websocket import WebSocketTransport
from notiway.live.delivery.format import Broadcast, Format
from notiway.live.state import State
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
    assert frame == (joined, key, item_id)


def test_each_format_is_rendered_once_and_hears_its_own(speech, monkeypatch):
    rendered = []
    render = type(speech).render
    monkeypatch.setattr(Format, "render", lambda self, events: (rendered.append(self), render(self, events))[1])
    event = sync(3)
    other = Format(SignalRWire(), SignalRTransport(lambda *_: None, 1024))
    pairs = [make_pair(format) for format in (speech, other, speech)]
    for connection, _ in pairs:
        connection.release([])
    Broadcast([event, created(1)]).send(connection for connection, _ in pairs)
    assert rendered == [speech, other]
    texts = [client.read(1)[0] for _, client in pairs]
    assert texts[0] == texts[2] == speech.wire.render(event)
    assert texts[1] == other.wire.render(created(1)), "SignalR has no word for a count"
    for connection, client in pairs:
        connection.lost()
        client.close()


def test_who_is_gone_is_let_go_and_the_next_one_hears_it(speech):
    gone, client = make_pair(speech)
    stays, listening = make_pair(speech)
    for each in (gone, stays):
        each.release([])
    client.close()
    Broadcast([sync(1)]).send([gone, stays])
    assert gone.state is State.CLOSED
    assert counts(listening, 1) == [1]
    stays.lost()
    listening.close()


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
    assert [item_id for _, _, item_id in single] == ["id-1", "id-3"]
    assert joined == b"".join(data for data, _, _ in single)
    (record,) = caplog.records
    assert wire.name in record.getMessage()
    assert "id-2" in record.getMessage()
    assert record.exc_info


def test_what_is_no_event_of_ours_is_left_out_too(caplog):
    broken = Event("created", "user:ada", {})
    _, single = json_format().render([broken, created(1)])
    assert [item_id for _, _, item_id in single] == ["id-1"]
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
    keys = [key for _, key, _ in json_format().render(loads)[1]]
    assert keys[0] == keys[2] != keys[1]
    assert "unread" not in keys
    (_, count_key, _) = json_format().render([Event("sync", "user:ada", {"unread": 1})])[1][0]
    assert count_key == "unread"
