"""Broadcast: Events reach many connections in one write each, with the count that follows from them."""

import json

import pytest
from pair import counts, created, item, make_pair, sync

from notiway.live.carriers.hub_protocol import SignalRTransport
from notiway.live.delivery.broadcast import Broadcast
from notiway.live.delivery.format import Format
from notiway.live.state import State
from notiway.live.wires.signalr import SignalRWire
from notiway.values.count import Count
from notiway.values.event import COUNT_CAP, Event


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


# Counts


@pytest.fixture
def pair(speech):
    """Connections that were told a count: `pair(3)`; the connection and its client."""
    made = []

    def make(told=None, release=True, format=speech):
        connection, client = make_pair(format)
        if release:
            connection.release([], None if told is None else Count(told, as_of=0))
        made.append((connection, client))
        return connection, client

    yield make
    for connection, client in made:
        connection.lost()
        client.close()


class Writes:
    """Counts the writes of a connection."""

    def __init__(self, connection):
        self.sizes = []
        send, connection.send = connection.send, self
        self._send = send

    def __call__(self, data):
        self.sizes.append(len(data))
        return self._send(data)


def heard(client, number):
    return [
        (each["event"], each["data"].get("unreadCount", each["data"].get("id")))
        for each in map(json.loads, client.read(number))
    ]


def unstored(number):
    return Event("created", "global", {"notification": item(number, persisted=False)})


def counted(unread, to):
    return Event("sync", "user:ada", {"unread": unread, "as_of": to})


@pytest.mark.parametrize(
    ("events", "told", "expected", "after"),
    [
        ([created(1)], 3, [("notification", "id-1"), ("pong", 4)], 4),
        ([created(1), created(2)], 3, [("notification", "id-1"), ("notification", "id-2"), ("pong", 5)], 5),
        ([created(1)], None, [("notification", "id-1")], None),
        ([created(1)], COUNT_CAP, [("notification", "id-1"), ("pong", COUNT_CAP)], COUNT_CAP),
        ([unstored(1)], 3, [("notification", "id-1")], 3),
        ([counted(9, to=0)], 3, [("pong", 9)], 9),
        ([counted(9, to=0)], None, [("pong", 9)], 9),
        ([sync(9)], 3, [("pong", 9)], None),
        ([created(1), counted(9, to=1)], 3, [("notification", "id-1"), ("pong", 9)], 9),
        ([counted(9, to=1), created(1)], 3, [("pong", 9), ("notification", "id-1")], None),
        ([created(1), created(1)], 3, [("notification", "id-1"), ("notification", "id-1")], None),
        ([created(2), created(1)], 3, [("notification", "id-2"), ("notification", "id-1")], None),
        ([created(1, position=None)], 3, [("notification", "id-1")], None),
        ([created(0)], 3, [("notification", "id-0")], None),
        ([Event("kick", "user:ada", {"session": "x"})], 3, [], 3),
    ],
)
@pytest.mark.parametrize("is_direct", [True, False], ids=["at once", "one by one"])
def test_a_stored_broadcast_tells_the_count_that_follows_from_what_was_told(
    pair, events, told, expected, after, is_direct
):
    connection, client = pair(told)
    connection.know(frozenset() if is_direct else frozenset(["id-of-a-replay"]))
    assert connection.direct is is_direct
    Broadcast(events).send([connection])
    assert heard(client, len(expected)) == expected
    assert connection.told == after
    assert client.hears_nothing()


class Owner:
    """Notes whose count is to be read once more."""

    def __init__(self):
        self.looked_at = []
        self.look_again = self.looked_at.append


@pytest.mark.parametrize("is_direct", [True, False], ids=["at once", "one by one"])
def test_a_count_that_was_read_before_a_broadcast_came_is_not_believed_and_read_again(pair, is_direct):
    connection, client = pair(3)
    connection.know(frozenset() if is_direct else frozenset(["id-of-a-replay"]))
    connection.owner = owner = Owner()
    Broadcast([created(5)]).send([connection])
    Broadcast([counted(3, to=4)]).send([connection])
    assert heard(client, 3)[1:] == [("pong", 4), ("pong", 3)]
    assert (connection.told, owner.looked_at) == (None, [connection])
    Broadcast([counted(4, to=5)]).send([connection])
    assert (connection.told, owner.looked_at) == (4, [connection])
    connection.owner = None


def test_item_and_count_are_one_write(pair):
    connection, client = pair(3)
    writes = Writes(connection)
    Broadcast([created(1), created(2)]).send([connection])
    assert len(writes.sizes) == 1
    assert len(client.read(3)) == 3


def test_each_count_is_drawn_once_however_many_connections_are_told_it(pair, speech, monkeypatch):
    asked = []
    badge = Format.badge
    monkeypatch.setattr(Format, "badge", lambda self, unread: (asked.append(unread), badge(self, unread))[1])
    pairs = [pair(number % 4) for number in range(40)]
    Broadcast([created(1)]).send([connection for connection, _ in pairs])
    assert [heard(client, 2)[1][1] for _, client in pairs] == [number % 4 + 1 for number in range(40)]
    assert asked == [1, 2, 3, 4]


def test_an_item_that_was_replayed_is_not_counted_twice(pair):
    connection, client = pair(3)
    connection.know(frozenset(["id-1"]))
    Broadcast([created(1)]).send([connection])
    assert client.hears_nothing()
    assert connection.told == 3
    Broadcast([created(1), created(2)]).send([connection])
    assert heard(client, 2) == [("notification", "id-2"), ("pong", 4)]


def test_the_count_of_an_item_that_was_replayed_is_not_told_with_it(pair):
    connection, _ = pair(3)
    connection.know(frozenset(["id-1"]))
    Broadcast([created(1, unread=9)]).send([connection])
    assert connection.told == 3


def test_what_is_held_tells_no_count_for_what_goes_ahead_of_it_may_tell_another(pair):
    connection, client = pair(3)
    connection.hold()
    Broadcast([created(1)]).send([connection])
    connection.release([], Count(8, as_of=1))
    assert connection.told is None
    assert heard(client, 1) == [("notification", "id-1")]
    Broadcast([created(2)]).send([connection])
    assert heard(client, 1) == [("notification", "id-2")]
    assert client.hears_nothing()


def test_a_hold_in_which_nothing_came_forgets_nothing(pair):
    connection, _ = pair(3)
    connection.hold()
    connection.release([])
    assert connection.told == 3


def test_a_count_that_waits_is_superseded_by_the_one_of_the_next_broadcast(pair):
    connection, _ = pair(0)
    Broadcast(
        [Event("created", "user:ada", {"notification": item(0, body={"x": "y" * 60_000}), "unread": 1, "as_of": 0})]
    ).send([connection])
    assert connection.backlog
    for number in range(1, 50):
        Broadcast([created(number)]).send([connection])
    assert connection.told == 50
    assert len(connection.backlog) == 51, "fifty items, and one count"
    assert connection.backlog._frames[-1] == [connection.format.badge(50)]


def test_where_a_badge_cannot_be_drawn_the_item_goes_out_and_the_count_is_not_known(pair, monkeypatch):
    monkeypatch.setattr(Format, "badge", lambda self, unread: None)
    connection, client = pair(3)
    Broadcast([created(1)]).send([connection])
    assert heard(client, 1) == [("notification", "id-1")]
    assert connection.told is None


def test_clients_that_count_for_themselves_are_told_no_count(pair):
    connection, client = pair(3, format=Format(SignalRWire(), SignalRTransport(lambda *_: None, 1024)))
    Broadcast([created(1)]).send([connection])
    assert len(client.read(1)) == 1
    assert client.hears_nothing()
