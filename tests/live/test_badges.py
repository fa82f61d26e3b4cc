"""Badges: counts with every heartbeat, and after broadcasts, for those who are connected here."""

import pytest
from pair import created, settle, sync

from notiway.live.badges import Badges


@pytest.fixture
def run():
    """Work that was to be done off the reactor, written down."""
    return []


@pytest.fixture
def badges(reactor, hub, run):
    return Badges(reactor, hub, run.append)


def test_each_beat_asks_for_the_counts_of_who_is_alive(hub, badges, connect, run, monkeypatch):
    connect("1")
    connect("2")
    asked = []
    monkeypatch.setattr(badges, "tell_counts", lambda alive: asked.extend(each.id for each in alive))
    for _ in range(len(hub.heartbeat._slices)):
        hub.reactor.call_soon(badges.beat)
    settle(hub.reactor)
    for work in run:
        work()
    assert sorted(asked) == ["1", "2"]


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (created(1, "global"), [("global", ["ada", "bob"])]),
        (created(1, "user:ada"), [("user:ada", ["ada"])]),
        (created(1, "user:ada", unread=1), []),
        (sync(1, "global"), []),
    ],
)
def test_after_a_broadcast_the_counts_of_who_is_here_are_settled(hub, badges, connect, run, monkeypatch, event, asked):
    seen = []
    monkeypatch.setattr(badges, "settle", lambda event, users: seen.append((event.audience, users)))
    for name, user_id in (("1", "ada"), ("2", "ada"), ("3", "bob")):
        connect(name, user_id=user_id)
    badges.deliver(event)
    settle(hub.reactor)
    for work in run:
        work()
    assert seen == asked


def test_neighbouring_broadcasts_are_settled_in_one_turn(hub, badges, connect, monkeypatch):
    _, client = connect("1")
    turns = []
    in_turn = hub.in_turn
    monkeypatch.setattr(hub, "in_turn", lambda call, *args: (turns.append(call), in_turn(call, *args)))

    def burst():
        for number in range(100):
            badges.deliver(created(number, "global"))

    hub.reactor.call_soon(burst)
    settle(hub.reactor)
    assert len(client.read(100)) == 100
    assert len(turns) == 1
