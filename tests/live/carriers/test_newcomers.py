"""Newcomers: who joins hears all that was sent since, though the news of the joining came late."""

import json

import pytest
from pair import settle
from servers import wait_until

from notiway.live import runtime
from notiway.live.carriers import newcomers
from notiway.store import inbox
from notiway.store.log import resuming
from notiway.values.audience import Audience
from notiway.values.close_codes import CloseCode
from notiway.values.event import Event
from notiway.values.principal import Principal
from notiway.verbs import membership
from notiway.verbs.send import send_notification

OPS = Audience.group("ops")


@pytest.fixture
def now(make_app):
    """A running hub without heartbeats, inside its application's context."""
    app = make_app(NOTIWAY_HEARTBEAT_SECONDS=3_600, NOTIWAY_USERS="external")
    with app.app_context():
        running = runtime.current()
        running.start()
        yield running
        running.badges._pool.shutdown(wait=True)  # nobody reads the database when it is closed


@pytest.fixture
def ada(now, join):
    """A device of ada's, and its client."""
    connection, client = join(Principal("ada"))
    now.hub.release(connection, [])
    settle(now.reactor)
    return connection, client


@pytest.fixture
def under_way(now, monkeypatch):
    """The Events that the broker has not delivered yet, by kind; the counts that each process makes go their way."""
    waiting = {}

    def publish(events):
        for event in events:
            waiting.setdefault(event.kind, []).append(event)

    monkeypatch.setattr(now.broker, "publish", publish)
    return waiting


@pytest.fixture
def arrive(now):
    """An Event comes from the broker, and all that follows from it is done."""

    def come(event):
        now.badges.deliver(event)
        settle(now.reactor)

    return come


def told(client, count):
    """The titles among the next messages, which a message of the test's own ends."""
    found = []
    while len(found) < count:
        message = json.loads(client.read()[0])
        if message["event"] == "notification":
            found.append(message["data"]["title"])
    return found


def test_what_overtook_the_news_of_a_joining_is_told(now, ada, under_way, arrive):
    membership.join("ada", OPS)
    send_notification(OPS, "Overtakes")
    [overtaking] = under_way["created"]
    arrive(overtaking)  # nobody hears it here
    arrive(under_way["joined"][0])
    send_notification("ada", "The end")
    arrive(under_way["created"][1])
    assert told(ada[1], 2) == ["Overtakes", "The end"]


def test_what_comes_while_it_is_read_is_told_once_and_in_its_order(now, ada, under_way, arrive, monkeypatch):
    membership.join("ada", OPS)
    send_notification(OPS, "First")
    page = resuming.page

    def meanwhile(*args):
        found = page(*args)
        send_notification(OPS, "Second")
        for event in under_way["created"]:
            now.badges.deliver(event)
        return found

    monkeypatch.setattr(resuming, "page", meanwhile)
    arrive(under_way["joined"][0])
    assert told(ada[1], 2) == ["First", "Second"]


def test_what_stood_before_is_told_by_the_joining_itself_and_nothing_twice(now, ada, under_way, arrive):
    send_notification(OPS, "Stood")
    membership.join("ada", OPS)
    for kind in ("joined", "restored"):
        arrive(under_way[kind][0])
    send_notification("ada", "The end")
    arrive(under_way["created"][1])
    assert told(ada[1], 1) == ["The end"]
    assert [each["title"] for each in under_way["restored"][0].data["notifications"]] == ["Stood"]


def test_what_a_client_has_from_its_resume_is_not_told_again(now, ada, under_way, arrive):
    """The user has left again, so the connection did not listen when the news of the joining came at last."""
    membership.join("ada", OPS)
    known = send_notification(OPS, "Known").id
    inbox.catch_up("ada")
    now.hub.hold(ada[0])
    now.hub.release(ada[0], [], [known])
    settle(now.reactor)
    arrive(under_way["joined"][0])
    send_notification("ada", "The end")
    arrive(under_way["created"][1])
    assert told(ada[1], 1) == ["The end"]


def test_several_joinings_in_a_row_hold_nobody_up(now, ada, under_way, arrive):
    for audience in (OPS, Audience.tenant("acme")):
        membership.join("ada", audience)
    send_notification(OPS, "Overtakes")
    for event in under_way["joined"]:
        now.badges.deliver(event)
    settle(now.reactor)
    send_notification("ada", "The end")
    arrive(under_way["created"][1])
    assert told(ada[1], 2) == ["Overtakes", "The end"]


def test_a_client_that_is_just_being_opened_comes_again(now, under_way, join):
    """What its opening has read cannot be told from what it has missed."""
    _, client = join(Principal("ada"))
    settle(now.reactor)
    membership.join("ada", OPS)
    now.badges.deliver(under_way["joined"][0])
    assert client.read_all() == [("close", CloseCode.TRY_AGAIN)]


def test_a_signalr_client_that_has_not_said_hello_yet_hears_it_all_after_that(now, under_way, arrive, join):
    _, client = join(Principal("ada"), format="signalr")
    settle(now.reactor)
    membership.join("ada", OPS)
    send_notification(OPS, "Overtakes")
    for kind in ("created", "joined"):
        arrive(under_way[kind][0])
    client.send('{"protocol":"json","version":1}\x1e')
    assert client.read() == ["{}\x1e"]
    assert "Overtakes" in client.read()[0]


def test_a_client_that_cannot_be_brought_up_to_date_is_told_to_come_again(now, ada, under_way, monkeypatch, caplog):
    membership.join("ada", OPS)
    monkeypatch.setattr(resuming, "page", lambda *_: 1 / 0)
    now.badges.deliver(under_way["joined"][0])
    *_, end = ada[1].read_all()
    assert end == ("close", CloseCode.TRY_AGAIN)
    assert "has joined" in caplog.text


def test_a_client_that_missed_more_than_fits_comes_again_and_resumes(now, ada, under_way, monkeypatch):
    monkeypatch.setattr(newcomers, "MISSED_AT_MOST", 1)
    membership.join("ada", OPS)
    for title in "ab":
        send_notification(OPS, title)
    now.badges.deliver(under_way["joined"][0])
    *_, end = ada[1].read_all()
    assert end == ("close", CloseCode.TRY_AGAIN)


def test_an_event_of_an_older_version_lets_devices_listen(now, ada, under_way, arrive):
    arrive(Event("joined", "user:ada", {"unread": 0, "audience": OPS.key}))
    assert OPS.key in ada[0].audiences
    assert ada[0].held is None


def test_news_of_a_joining_that_come_behind_those_of_the_leaving_let_nobody_listen(now, ada, under_way, arrive):
    connection, client = ada
    membership.join("ada", OPS)
    send_notification(OPS, "While a member")
    membership.leave("ada", OPS)
    for kind in ("left", "joined"):  # the broker may reorder them
        for event in under_way.pop(kind):
            arrive(event)
    wait_until(lambda: OPS.key not in connection.audiences and connection.held is None)
    now.hub.tell(connection, '{"event":"end"}')
    assert not [text for text in iter(lambda: client.read()[0], '{"event":"end"}') if "While a member" in text]
