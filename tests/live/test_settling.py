"""Settling: after stored broadcasts rows are written; counts that the database does not confirm are corrected."""

import json
from types import SimpleNamespace

import pytest
from joined import Joiner
from pair import counts, created, settle, sync

from notiway.live import runtime
from notiway.live import settling as module
from notiway.live.settling import Heard, Settling
from notiway.store import inbox, membership
from notiway.store.log import pulling
from notiway.values.audience import Audience
from notiway.values.event import Event
from notiway.values.principal import Principal
from notiway.verbs import items
from notiway.verbs.recall import recall
from notiway.verbs.send import send_notification


@pytest.fixture
def clock():
    return SimpleNamespace(now=1_000.0)


@pytest.fixture
def work():
    """What was to be done off the reactor, written down."""
    return []


@pytest.fixture
def settling(hub, work, clock, monkeypatch):
    """By hand; `settled` are the passes: what was settled for whom."""
    made = Settling(hub, work.append, lambda: clock.now)
    made.settled = []

    def note(heard):
        made.settled.append({audience: (each.ids, sorted(each.users)) for audience, each in heard.items()})

    def sleep(seconds):
        clock.now += seconds

    monkeypatch.setattr(made, "settle", note)
    monkeypatch.setattr(module, "pause", sleep)
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


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (created(1, "global"), [{"global": (["id-1"], ["ada", "bob"])}]),
        (created(1, "user:ada"), [{"user:ada": (["id-1"], ["ada"])}]),
        (Event("recalled", "global", {"ids": ["id-1"], "items": []}), [{"global": ([], ["ada", "bob"])}]),
    ],
)
def test_after_a_broadcast_those_who_heard_it_are_settled(hub, settling, connect, work, event, asked):
    for name, user_id in (("1", "ada"), ("2", "ada"), ("3", "bob")):
        connect(name, user_id=user_id)
    tell(hub, settling, event)
    do(work)
    assert settling.settled == asked


def test_broadcasts_to_everybody_that_follow_each_other_are_settled_together(hub, settling, connect, work, clock):
    connect("1")
    tell(hub, settling, sync(0))
    before = clock.now
    for number in range(50):
        tell(hub, settling, created(number, "global"))
    do(work)
    assert [len(each["global"][0]) for each in settling.settled] == [50]
    assert clock.now - before == pytest.approx(module.TOGETHER_SECONDS)


@pytest.mark.parametrize(
    "urgent",
    [created(9, "group:open"), Event("recalled", "global", {"ids": ["id-1"], "items": []})],
    ids=["guests need their rows", "no count follows from a recall"],
)
def test_what_somebody_waits_for_does_not_wait(hub, settling, connect, work, clock, urgent, monkeypatch):
    connect("1", "global", "user:ada", "group:open")
    tell(hub, settling, sync(0), created(2, "global"))

    def sleep(seconds):
        """The first run waits for its time; then something urgent comes, and another run takes over."""
        tell(hub, settling, urgent)
        work.pop()()
        monkeypatch.undo()

    began = clock.now
    monkeypatch.setattr(module, "pause", sleep)
    monkeypatch.setattr(settling, "settle", lambda heard: settling.settled.append((sorted(heard), clock.now)))
    work.pop(0)()
    assert settling.settled[-1] == (sorted({"global", urgent.audience}), began)
    assert not work
    assert not settling._is_running


def test_whoever_does_not_know_its_count_does_not_wait_for_it(hub, settling, connect, work, clock):
    connect("1")
    for number in range(3):
        tell(hub, settling, created(number, "global"))
        began = clock.now
        do(work)
        assert clock.now == began
    assert len(settling.settled) == 3


def test_a_fault_in_one_pass_ends_nothing(hub, settling, connect, work, monkeypatch, caplog):
    connect("1")
    note = settling.settle
    monkeypatch.setattr(settling, "settle", lambda heard: 1 / 0)
    tell(hub, settling, created(1, "global"))
    do(work)
    monkeypatch.setattr(settling, "settle", note)
    tell(hub, settling, created(2, "global"))
    do(work)
    assert settling.settled == [{"global": (["id-2"], ["ada"])}]
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
        running.hub.release(connection, [], unread=unread)
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


def test_a_count_that_the_database_does_not_confirm_is_corrected(enter, passes):
    _, client = enter("ada", 7)
    send_notification(Audience.everyone(), "One")
    passes()
    assert heard(client, 3) == [("notification", "One"), ("pong", 8), ("pong", 1)]
    assert client.hears_nothing()


def test_who_was_told_no_count_is_told_one(enter, passes):
    _, client = enter("ada")
    send_notification(Audience.everyone(), "One")
    passes()
    assert heard(client, 2) == [("notification", "One"), ("pong", 1)]
    send_notification(Audience.everyone(), "Two")
    passes()
    assert heard(client, 2) == [("notification", "Two"), ("pong", 2)]
    assert client.hears_nothing()


def test_a_count_is_not_corrected_by_one_that_is_older_than_what_was_told_since(running, enter, passes, monkeypatch):
    _, client = enter("ada", 0)
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
    assert heard(client, 4) == [("notification", "One"), ("pong", 1), ("notification", "Two"), ("pong", 2)]
    passes()
    assert client.hears_nothing()


def test_who_reads_before_the_rows_are_written_keeps_the_right_count(enter, passes):
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


def test_whoever_heard_a_broadcast_stands_behind_it_in_the_log(running, enter):
    """Or each look at the inbox would read every broadcast since the first day anew."""
    enter("ada")
    inbox.catch_up("ada")
    sent = send_notification(Audience.everyone(), "Hi").id
    told = Heard([Event("created", "global", {"notification": {"id": sent}})], {"ada"})
    running.badges.settling.settle({"global": told})
    assert pulling.behind(["ada"]) == []
    assert inbox.unread_count("ada") == 1


def test_who_listens_without_being_a_member_keeps_what_was_heard(running, enter):
    membership.join("cleo", Audience.group("open"))
    sent = [send_notification(Audience.group("open"), f"Hi {number}").id for number in range(3)]
    events = [Event("created", "group:open", {"notification": {"id": each}}) for each in sent]
    running.badges.settling.settle({"group:open": Heard(events, {"ada", "bob", "cleo"})})
    assert inbox.unread_counts(["ada", "bob", "cleo"]) == {"ada": 3, "bob": 3, "cleo": 3}


def test_a_pass_writes_so_many_rows_at_once_however_many_broadcasts_it_settles(running, monkeypatch):
    parts = []
    monkeypatch.setattr(pulling, "settle", lambda users, guests: parts.append(len(users)))
    events = [created(number, "global") for number in range(100)]
    running.badges.settling.settle({"global": Heard(events, {f"user {number}" for number in range(90)})})
    assert parts == [20, 20, 20, 20, 10]
    parts.clear()
    running.badges.settling.settle({"global": Heard(events[:1], {f"user {number}" for number in range(998)})})
    assert parts == [499, 499]


def test_a_recall_is_told_to_the_devices_of_a_listener_that_do_not_listen_themselves(running, enter, monkeypatch):
    monkeypatch.setattr(running.broker, "publish", lambda events: None)
    listening, told_by_the_fan_out = enter("ada")
    _, client = enter("ada")
    running.reactor.call_soon(running.hub.listeners.add, listening, "group:open")
    settle(running.reactor)
    sent = send_notification(Audience.group("open"), "Hi").id
    pulling.settle(["ada"], [([sent], {"ada"})])
    recalled = Event("recalled", "group:open", {"ids": [sent], "items": []})
    running.badges.settling.settle({"group:open": Heard([recalled], {"ada"})})
    settle(running.reactor)
    assert json.loads(client.read()[0])["event"] == "recalled"
    assert client.hears_nothing(), "the recall tells the count"
    assert counts(told_by_the_fan_out, 1) == [1], "it was not taken back in the database"
