"""Format: what one event cannot be made into is left out of one format, and nothing else."""

import json
import logging

import pytest
from pair import item, json_format

from notiway.live.carriers.websocket import WebSocketTransport
from notiway.live.format import Format
from notiway.live.wires.json import JsonWire
from notiway.values.event import Event


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


def created(number):
    return Event("created", "user:ada", {"notification": item(number)})


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
