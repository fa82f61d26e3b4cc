"""Settling: after stored broadcasts, counts that do not follow from what was told are read and told."""

import json

import pytest
from joined import Joiner
from pair import counts, created, settle

from notiway.live import runtime
from notiway.live.settling import Open, Settling
from notiway.store import inbox, membership
from notiway.store.log import pulling
from notiway.store.tables import InboxItem
from notiway.values.audience import Audience
from notiway.values.count import Count
from notiway.values.event import Event
from notiway.values.principal import Principal
from notiway.verbs import items
from notiway.verbs.recall import recall
from notiway.verbs.send import send_notification


@pytest.fixture
def work():
    """What was to be done off the reactor, written down."""
    return []


@pytest.fixture
def settling(hub, work, monkeypatch):
    """By hand; `settled` are the passes: what was to be settled."""
    made = Settling(hub, work.append)
    made.settled = []
    monkeypatch.setattr(made, "settle", made.settled.append)
    return made


def tell(hub, settling, *events):
    """As the broker does."""
    for event in events:
        hub.deliver(event)
        if event.leaves_counts_open:
            settling.note(event)
    settle(hub.reactor)


def do(work):
    while work:
        work.pop(0)()


def counted(unread, to, audience="user:ada"):
    return Event("sync", audience, {"unread": unread, "as_of": to})


RECALLED = Event("recalled", "global", {"ids": ["id-1"], "items": []})


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (created(1, "global"), Open({"ada", "bob"})),
        (created(1, "user:ada"), Open({"ada"}, {"user:ada": (["id-1"], {"ada"})})),
        (RECALLED, Open({"ada", "bob"}, recalled=[(RECALLED, {"ada", "bob"})])),
    ],
)
def test_after_a_broadcast_the_counts_that_nobody_knows_are_read(hub, settling, connect, work, event, asked):
    for name, user_id in (("1", "ada"), ("2", "ada"), ("3", "bob")):
        connect(name, user_id=user_id)
    tell(hub, settling, event)
    do(work)
    assert settling.settled == [asked]


def test_where_every_count_follows_from_the_last_one_nothing_is_read(hub, settling, connect, work):
    connect("1")
    tell(hub, settling, counted(0, to=0), *(created(number, "global") for number in range(1, 50)))
    assert work == []


def test_those_whose_count_does_not_follow_are_looked_at_alone(hub, settling, connect, work):
    connect("1")
    connect("2", user_id="bob")
    tell(hub, settling, counted(0, to=0), counted(0, to=1, audience="user:bob"), created(1, "global"))
    do(work)
    assert settling.settled == [Open({"bob"})], "the broadcast may be in the count that bob was told"


def test_a_count_that_a_broadcast_has_overtaken_is_read_again(hub, settling, connect, work):
    connect("1")
    tell(hub, settling, counted(0, to=0), created(2, "global"), counted(0, to=1))
    do(work)
    assert settling.settled == [Open({"ada"})]


def test_what_comes_while_a_pass_is_at_work_is_settled_by_the_same_worker(hub, settling, connect, work, monkeypatch):
    connect("1")
    passes = []

    def settle_and_tell(found):
        passes.append(found)
        if len(passes) == 1:
            tell(hub, settling, created(2, "group:open"), created(3, "group:open"))

    monkeypatch.setattr(settling, "settle", settle_and_tell)
    connect("2", "group:open")
    tell(hub, settling, created(1, "global"))
    (only,) = work
    only()
    assert [each.heard for each in passes] == [{}, {"group:open": (["id-2", "id-3"], {"ada"})}]
    assert len(work) == 1
    assert not settling._is_running


def test_a_fault_in_one_pass_ends_nothing(hub, settling, connect, work, monkeypatch, caplog):
    connect("1")
    note = settling.settle
    monkeypatch.setattr(settling, "settle", lambda found: 1 / 0)
    tell(hub, settling, created(1, "global"))
    do(work)
    monkeypatch.setattr(settling, "settle", note)
    tell(hub, settling, created(2, "global"))
    do(work)
    assert settling.settled == [Open({"ada"})]
    assert "ZeroDivisionError" in caplog.text


# With a database


@pytest.fixture
def running(make_app):
    """The hub of an application, inside its context; nothing beats by itself."""
    app = make_app(NOTIWAY_HEARTBEAT_SECONDS=3_600, NOTIWAY_USERS="external")
    with app.app_context():
        now = runtime.current()
        now.start()
        yield now


@pytest.fixture
def enter(running):
    """Opens a user's connection: `enter("ada")`; the connection and its client."""
    joiner = Joiner(running)

    def open_one(user_id, unread=None):
        connection, client = joiner(Principal(user_id))
        count = None if unread is None else Count(unread, inbox.arrive(user_id).as_of)
        running.hub.release(connection, [], unread=count)
        settle(running.reactor)
        return connection, client

    yield open_one
    joiner.close()


@pytest.fixture
def passes(running, monkeypatch):
    """Lets settling happen only when it is called."""
    works = []
    monkeypatch.setattr(running.badges.settling, "_run", works.append)

    def run():
        settle(running.reactor)
        do(works)
        settle(running.reactor)

    return run


def heard(client, number):
    return [
        (each["event"], each["data"].get("title") or each["data"].get("unreadCount"))
        for each in map(json.loads, client.read(number))
    ]


def test_item_and_count_come_at_once_and_nothing_follows_where_the_database_agrees(enter, passes):
    clients = [enter(user_id, 0)[1] for user_id in ("ada", "ada", "bob")]
    send_notification(Audience.everyone(), "One")
    send_notification(Audience.everyone(), "Two")
    passes()
    for client in clients:
        frames = heard(client, 3)
        if frames[1] == ("pong", 1):
            frames = [*frames[:1], *frames[2:], *heard(client, 1)]  # they were not joined
        assert frames == [("notification", "One"), ("notification", "Two"), ("pong", 2)]
        assert client.hears_nothing()
    assert inbox.unread_counts(["ada", "bob"]) == {"ada": 2, "bob": 2}


def test_a_broadcast_writes_no_row_until_somebody_looks(enter, passes):
    enter("ada", 0)
    enter("bob", 0)
    send_notification(Audience.everyone(), "One")
    passes()
    assert InboxItem.select().count() == 0
    assert [item.title for item in inbox.feed("ada").items] == ["One"]
    assert [row.user_id for row in InboxItem.select()] == ["ada"]


def test_who_was_told_no_count_is_told_one(enter, passes):
    _, client = enter("ada")
    send_notification(Audience.everyone(), "One")
    passes()
    assert heard(client, 2) == [("notification", "One"), ("pong", 1)]
    send_notification(Audience.everyone(), "Two")
    passes()
    assert heard(client, 2) == [("notification", "Two"), ("pong", 2)]
    assert client.hears_nothing()


def test_a_count_that_was_read_before_another_broadcast_does_not_stay(running, enter, passes, monkeypatch):
    _, client = enter("ada")
    send_notification(Audience.everyone(), "One")
    counted = inbox.unread_counts

    def count_then_send(users):
        found = counted(users)
        monkeypatch.setattr(inbox, "unread_counts", counted)
        send_notification(Audience.everyone(), "Two")
        settle(running.reactor)
        return found

    monkeypatch.setattr(inbox, "unread_counts", count_then_send)
    passes()
    passes()
    frames = heard(client, 4)
    assert frames[0] == ("notification", "One")
    assert frames[-1] == ("pong", 2)
    assert client.hears_nothing()


def test_who_reads_at_once_keeps_the_right_count(enter, passes):
    _, client = enter("ada", 0)
    sent = send_notification(Audience.everyone(), "One")
    items.mark_read("ada", [sent.id])
    passes()
    assert heard(client, 3) == [("notification", "One"), ("pong", 1), ("markedAsRead", 0)]
    assert client.hears_nothing()


def test_what_is_sent_to_one_user_counts_the_broadcasts_that_are_not_in_the_inbox_yet(enter, passes):
    _, client = enter("ada", 0)
    send_notification(Audience.everyone(), "One")
    send_notification("ada", "Two")
    assert heard(client, 2) == [("notification", "One"), ("pong", 1)]
    assert json.loads(client.read()[0])["data"]["unreadCount"] == 2
    passes()
    assert client.hears_nothing()


def test_a_recall_corrects_the_counts_of_those_who_had_it_unread(enter, passes):
    _, client = enter("ada", 0)
    sent = send_notification(Audience.everyone(), "A mistake")
    passes()
    recall(sent.id, by="staff")
    passes()
    assert heard(client, 4)[1:] == [("pong", 1), ("recalled", None), ("pong", 0)]
    assert client.hears_nothing()


def test_who_listens_without_being_a_member_keeps_what_was_heard(running):
    membership.join("cleo", Audience.group("open"))
    sent = [send_notification(Audience.group("open"), f"Hi {number}").id for number in range(3)]
    running.badges.settling.settle(Open(heard={"group:open": (sent, {"ada", "bob", "cleo"})}))
    assert inbox.unread_counts(["ada", "bob", "cleo"]) == {"ada": 3, "bob": 3, "cleo": 3}
    assert {row.user_id for row in InboxItem.select()} == {"ada", "bob"}


def test_a_recall_is_told_to_the_devices_of_a_listener_that_do_not_listen_themselves(running, enter, monkeypatch):
    monkeypatch.setattr(running.broker, "publish", lambda events: None)
    listening, told_by_the_fan_out = enter("ada")
    _, client = enter("ada")
    running.reactor.call_soon(running.hub.listeners.add, listening, "group:open")
    settle(running.reactor)
    sent = send_notification(Audience.group("open"), "Hi").id
    pulling.give_to_guests("group:open", [sent], ["ada"])
    recalled = Event("recalled", "group:open", {"ids": [sent], "items": []})
    running.badges.settling.settle(Open({"ada"}, recalled=[(recalled, {"ada"})]))
    settle(running.reactor)
    assert json.loads(client.read()[0])["event"] == "recalled"
    assert client.hears_nothing(), "the recall tells the count"
    assert counts(told_by_the_fan_out, 1) == [1], "it was not taken back in the database"
