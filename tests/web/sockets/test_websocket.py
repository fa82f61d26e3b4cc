"""The WebSocket route: who is let in, in which format, and what came since is sent before anything live."""

import json
import socket
import threading
from types import SimpleNamespace

import pytest
from pair import WAIT_SECONDS, Client, settle

from notiway.live.carriers import replaying
from notiway.store import inbox
from notiway.values.close_codes import CloseCode
from notiway.values.principal import Principal
from notiway.verbs import items
from notiway.verbs.recall import recall
from notiway.web.sockets import websocket
from web.sockets.conftest import UPGRADE

PATH = "/ws/notifications"


@pytest.mark.parametrize("query", ["", "format=json", "format=html", "access_token=bad"])
def test_whoever_asks_rightly_is_upgraded_and_told_there_why_it_is_closed(knock, query):
    assert knock(f"{PATH}?{query}")[0] is None


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("format=xml", {}, 400),
        ("format=", {}, 400),
        ("", {"Sec-WebSocket-Version": "8"}, 426),
        ("", {"Sec-WebSocket-Key": "x"}, 400),
        ("", {"Origin": "https://evil.test"}, 403),
    ],
)
def test_who_asks_wrongly_is_refused_before_the_upgrade(knock, query, headers, status):
    assert knock(f"{PATH}?{query}", **headers)[0] == status


def test_a_token_may_come_from_any_origin(knock):
    assert knock(f"{PATH}?access_token=x", Origin="https://evil.test")[0] is None


@pytest.fixture
def enter(app, now):
    """Opens the route as `flask run` does, in a thread: `enter("access_token=…")`; the thread and the client."""
    entered = []

    def open_one(query=""):
        ours, theirs = socket.socketpair()

        def view():
            with app.test_request_context(f"{PATH}?{query}", headers=UPGRADE):
                assert app.preprocess_request() is None
                websocket._open(SimpleNamespace(sock=ours, mode="werkzeug", connected=True))

        thread = threading.Thread(target=view)
        thread.start()
        entered.append((thread, ours, Client(theirs)))
        return thread, entered[-1][2]

    yield open_one
    for thread, ours, client in entered:
        client.close()
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive(), "the view ends with its connection"
        ours.close()


@pytest.mark.parametrize("query", ["", "access_token=bad"])
def test_nobody_is_told_so_in_a_close_code_that_a_browser_can_read(enter, query):
    assert enter(query)[1].read_all() == [("close", CloseCode.NOT_SIGNED_IN)]


def test_the_bearer_of_a_token_is_welcomed_with_the_count(enter, token, notify):
    notify("ada")
    view, client = enter(f"access_token={token('ada')}")
    message = json.loads(client.read()[0])
    assert view.is_alive(), "here the socket would end with its view"
    assert (message["event"], message["data"]["unreadCount"]) == ("connected", 1)
    assert message["data"]["connectionId"]


def test_a_page_gets_html(enter, token):
    (text,) = enter(f"format=html&access_token={token('ada')}")[1].read()
    assert "<hx-partial" in text


# What came since


@pytest.fixture
def resume(app, now, join):
    """Brings a new connection of ada up to date; `resume("since=")` gives the titles it is told after its welcome."""

    def go(query):
        connection, client = join(Principal("ada"))
        with app.test_request_context(f"{PATH}?{query}"):
            websocket.resume(now, connection, "ada")
        now.hub.tell(connection, '{"event": "end"}')
        settle(now.reactor)
        messages = []
        while not messages or messages[-1] != {"event": "end"}:
            messages += map(json.loads, client.read())
        welcome, *told, _ = messages
        assert welcome["event"] == "connected"
        return [message["data"]["title"] for message in told]

    return go


def test_what_came_since_is_told_oldest_first(resume, notify):
    shown, *_ = [notify("ada", title) for title in ("shown", "first", "second")]
    assert resume(f"since={shown}") == ["first", "second"]


@pytest.mark.parametrize(("query", "told"), [("since=", ["old"]), ("", []), ("since=x", []), ("since=0", [])])
def test_a_page_that_showed_nothing_gets_everything_and_one_that_does_not_say_nothing(resume, notify, query, told):
    notify("ada", "old")
    assert resume(query) == told


def test_the_id_of_another_users_item_shows_nothing_of_theirs(resume, notify):
    theirs = notify("bob", "his")
    notify("bob", "his, too")
    notify("ada", "hers")
    assert resume(f"since={theirs}") == ["hers"]


def test_after_a_long_absence_it_gets_everything_page_by_page(app, now, join, notify, monkeypatch):
    monkeypatch.setattr(replaying, "PAGE_ITEMS", 2)
    for number in range(5):
        notify("ada", f"Number {number}")
    connection, client = join(Principal("ada"))
    with app.test_request_context(f"{PATH}?since="):
        websocket.resume(now, connection, "ada")
    told = [json.loads(text)["data"].get("title") for text in client.read(6)]
    assert told == [None, *(f"Number {number}" for number in range(5))]


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        (None, False),
        (lambda one: items.mark_seen("ada", [one]), False),
        (lambda one: items.mark_read("ada", [one]), True),
        (lambda one: items.delete("ada", [one]), True),
        (lambda one: items.mark_all_read("ada"), True),
        (lambda one: items.mark_read("bob", []), False),
        (lambda one: recall(one, by="grace"), True),
    ],
)
def test_a_page_is_told_whether_anything_was_read_or_deleted_before_its_line_was_there(
    app, now, join, notify, change, changed
):
    newest = notify("ada")
    drawn = inbox.changes("ada")
    if change is not None:
        change(newest)
    connection, client = join(Principal("ada"), format="html")
    with app.test_request_context(f"{PATH}?format=html&since={newest}&changes={drawn}"):
        websocket.resume(now, connection, "ada")
    assert ("data-changed" in client.read()[0]) is changed


def test_arriving_marks_nothing_read(resume, notify):
    newest = notify("ada")
    resume("since=")
    assert inbox.unread_count("ada") == 1
    assert resume(f"since={newest}") == []
