"""Replaying: page after page to a client that takes them, everything once and in order, with live Events behind it."""

import json

import pytest
from pair import settle

from notiway.live import runtime
from notiway.live.carriers import joining, replaying
from notiway.live.delivery.format import Format
from notiway.live.state import State
from notiway.store import membership
from notiway.store.log import resuming
from notiway.values.audience import Audience
from notiway.values.close_codes import CloseCode
from notiway.values.principal import Principal
from notiway.verbs.send import send_notification

ADA = Principal("ada")
OPS = Audience.group("ops")


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(replaying, "PAGE_ITEMS", 2)


@pytest.fixture
def now(make_app):
    """A running hub without heartbeats, inside its application's context."""
    app = make_app(NOTIWAY_HEARTBEAT_SECONDS=3_600, NOTIWAY_USERS="external")
    with app.app_context():
        running = runtime.current()
        running.start()
        yield running


def send(now, *titles, to="ada"):
    ids = [send_notification(to, title).id for title in titles]
    settle(now.reactor)
    return ids


def titles(texts):
    return [json.loads(text)["data"]["title"] for text in texts]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7])
def test_everything_comes_once_and_in_order_behind_what_comes_first(now, join, count):
    missed = [f"Number {number}" for number in range(count)]
    send(now, *missed)
    connection, client = join(ADA)
    now.replaying.resume(connection, resuming.beginning(), ["hello"])
    assert client.read() == ["hello"]
    assert titles(client.read(count)) == missed
    send(now, "live")
    assert titles(client.read()) == ["live"]


def test_what_happens_meanwhile_waits_and_what_a_page_told_does_not_come_again(now, join, monkeypatch):
    monkeypatch.setattr(now.replaying, "_pool", Waiting())
    send(now, *"abc")
    connection, client = join(ADA)
    now.replaying.resume(connection, resuming.beginning())
    assert titles(client.read(2)) == ["a", "b"]
    send(now, "d")  # stored before the next page is read, and heard by a connection that is held
    settle(now.reactor)
    assert client.hears_nothing()
    now.replaying._pool.go_on()
    assert titles(client.read(2)) == ["c", "d"]
    send(now, "e")
    assert titles(client.read()) == ["e"]


class Waiting:
    """A pool whose work is done when the test says so."""

    def __init__(self):
        self.work = []

    def submit(self, work):
        self.work.append(work)

    def go_on(self):
        self.work.pop(0)()

    def shutdown(self, **options):
        self.work.clear()


def test_a_client_hears_only_of_what_it_wants_and_the_pages_go_on(now, join):
    send(now, *"abcde")
    connection, client = join(ADA)
    now.replaying.resume(connection, resuming.beginning(), wanted=lambda item: item.title in "ae")
    assert titles(client.read(2)) == ["a", "e"]


def test_an_event_that_comes_late_of_what_the_client_has_is_passed_over(now, join):
    (known,) = send(now, "known")
    connection, client = join(ADA)
    now.replaying.resume(connection, resuming.after(known), known_ids=[known])
    settle(now.reactor)
    assert client.hears_nothing()
    assert known in connection.known


def test_nothing_more_is_read_for_a_client_that_has_gone(now, join, monkeypatch):
    monkeypatch.setattr(now.replaying, "_pool", Waiting())
    send(now, *"abc")
    connection, client = join(ADA)
    now.replaying.resume(connection, resuming.beginning())
    client.read(2)
    settle(now.reactor)
    now.reactor.call_soon(connection.lost)
    settle(now.reactor)
    assert connection.state is State.CLOSED
    monkeypatch.setattr(resuming, "page", lambda *_: pytest.fail("the database was asked"))
    now.replaying._pool.go_on()


def test_a_replay_that_breaks_off_tells_the_client_to_come_again(now, join, monkeypatch, caplog):
    send(now, *"abc")
    connection, client = join(ADA)
    page = resuming.page
    monkeypatch.setattr(resuming, "page", lambda *args: page(*args) if args[1].until is None else 1 / 0)
    now.replaying.resume(connection, resuming.beginning())
    *told, end = client.read_all()
    assert (titles(told), end) == (["a", "b"], ("close", CloseCode.TRY_AGAIN))
    assert "a replay broke off" in caplog.text


def test_a_process_that_ends_reads_no_more_pages(now, join):
    send(now, *"abc")
    connection, client = join(ADA)
    now.replaying.close()
    now.replaying.resume(connection, resuming.beginning())
    assert titles(client.read(2)) == ["a", "b"]
    settle(now.reactor)
    assert client.hears_nothing()
    assert connection.state is State.OPEN, "it is closed with all others"


def test_what_a_wire_cannot_show_is_left_out_and_the_rest_is_there(now, join, monkeypatch):
    send(now, "a", "broken")
    send(now, "c", to=Audience.everyone())
    connection, _ = join(ADA)
    text = Format.text

    def show(self, event):
        return None if event.data["notification"]["title"] == "broken" else text(self, event)

    monkeypatch.setattr(Format, "text", show)
    items = resuming.page("ada", resuming.beginning(), 9).items
    shown = replaying.frames_of(connection, items)
    assert shown[1] is None
    assert titles([shown[0], shown[2]]) == ["a", "c"]


def test_a_subscription_meanwhile_ends_no_replay(now, join, monkeypatch):
    monkeypatch.setattr(now.replaying, "_pool", Waiting())
    send(now, *"abcde")
    connection, client = join(ADA)
    now.replaying.resume(connection, resuming.beginning())
    assert titles(client.read(2)) == ["a", "b"]
    settle(now.reactor)
    membership.join("ada", OPS)
    joining.subscribe(now, connection, OPS, '{"event": "answer"}')
    assert json.loads(client.read()[0])["event"] == "answer"
    send(now, "live")
    for expected in (["c", "d"], ["e", "live"]):
        now.replaying._pool.go_on()
        assert titles(client.read(2)) == expected
        settle(now.reactor)
