"""The stream's route: resumes from the last id, says reset where it cannot be sure, and never writes twice."""

import re
import socket
import threading

import pytest
from pair import WAIT_SECONDS, settle

from notiway.live.carriers import replaying
from notiway.store.log import resuming
from notiway.values.clock import DAY_MS, now_ms
from notiway.values.ids import id_floor, id_time
from notiway.values.principal import Principal
from notiway.web.sockets import sse

PATH = "/api/notifications/stream"


def said(text):
    """What a client was told, as (event, id) pairs."""
    blocks = [dict(re.findall(r"(?m)^(event|id): (.*)$", block)) for block in text.split("\n\n")]
    return [(block["event"], block.get("id")) for block in blocks if "event" in block]


@pytest.fixture
def resume(app, now, join):
    """Brings a new stream of ada up to date: `resume({"Last-Event-ID": …})`; what it is told beside its id.

    With `until` the stream goes on until it was told this id.
    """

    def go(headers=None, query="", until=""):
        connection, client = join(Principal("ada"), format="sse")
        with app.test_request_context(f"{PATH}?{query}", headers=headers or {}):
            sse.resume(now, connection, "ada")
        settle(now.reactor)
        heard = b""
        while until and f"id: {until}" not in heard.decode() and (more := client.sock.recv(65_536)):
            heard += more
        now.reactor.call_soon(connection.sock.shutdown, socket.SHUT_WR)
        heard += b"".join(iter(lambda: client.sock.recv(65_536), b""))
        told = said(heard.decode())
        told.remove(("connected", None))
        return told

    return go


@pytest.mark.parametrize("way", ["header", "query"])
def test_it_goes_on_after_the_last_id(resume, notify, way):
    seen, *missed = [notify("ada", f"Number {number}") for number in range(3)]
    told = resume({"Last-Event-ID": seen}) if way == "header" else resume(query=f"lastEventId={seen}")
    assert told == [("unread", None), *(("notification", each) for each in missed)]


def place_of(user_id):
    """The exact cursor that `GET /api/notifications` gives a user who has everything."""
    return resuming.page(user_id, resuming.beginning(), 50).cursor.as_text()


@pytest.mark.parametrize("way", ["header", "query"])
@pytest.mark.parametrize("before", [0, 2])
def test_it_goes_on_after_a_cursor_also_where_the_list_was_empty(resume, notify, way, before):
    for _ in range(before):
        notify("ada")
    place = place_of("ada")
    missed = [notify("ada"), notify("ada")]
    told = resume({"Last-Event-ID": place}) if way == "header" else resume(query=f"lastEventId={place}")
    assert told == [("unread", None), *(("notification", each) for each in missed)]
    assert resume(query=f"lastEventId={place_of('ada')}") == [("unread", None)]


def test_a_new_stream_is_told_the_count_with_the_place_to_resume_from(resume, notify):
    newest = [notify("ada") for _ in range(2)][-1]
    assert resume() == [("unread", newest)]


def test_even_where_nothing_ever_came_there_is_a_place_to_resume_from(resume):
    ((event, place),) = resume()
    assert event == "unread"
    assert 0 <= now_ms() - id_time(place) < 60_000


@pytest.mark.parametrize("last", ["x", "0", "' OR 1=1", "c.", "c.W10", id_floor(0), "older than the retention"])
def test_where_it_cannot_be_sure_it_says_reset_first(resume, notify, last):
    newest = notify("ada")
    last = id_floor(now_ms() - 91 * DAY_MS) if last.startswith("older") else last
    assert resume(query=f"lastEventId={last}") == [("reset", newest), ("unread", newest)]


def test_what_one_page_cannot_hold_follows_page_by_page(resume, notify, monkeypatch):
    monkeypatch.setattr(replaying, "PAGE_ITEMS", 2)
    seen, *missed = [notify("ada") for _ in range(6)]
    told = resume({"Last-Event-ID": seen}, until=missed[-1])
    assert told == [("unread", None), *(("notification", each) for each in missed)]


def test_nothing_of_another_user_is_replayed(resume, notify):
    theirs = notify("bob")
    notify("bob")
    assert [event for event, _ in resume({"Last-Event-ID": theirs})] == ["unread"]


# The route


def test_without_a_good_token_there_is_no_stream(client):
    for path in (PATH, f"{PATH}?access_token=bad"):
        answer = client.get(path)
        assert (answer.status_code, answer.json["error"]["code"]) == (401, "Unauthorized")


def test_a_server_that_lends_no_socket_is_told_what_would(client, token):
    answer = client.get(f"{PATH}?access_token={token('ada')}")
    assert (answer.status_code, answer.json["error"]["code"]) == (501, "NotSupported")
    assert "gunicorn" in answer.json["error"]["message"]


def test_a_head_request_opens_nothing(client, token, app):
    answer = client.head(f"{PATH}?access_token={token('ada')}")
    assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")
    assert len(app.extensions["notiway"].hub) == 0


def test_a_session_streams_without_being_extended(browser):
    answer = browser.open("HEAD", PATH)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://shop.example.com", True), ("https://evil.test", False), ("", False)]
)
def test_the_head_lets_allowed_origins_read(make_app, origin, allowed):
    app = make_app(NOTIWAY_ALLOWED_ORIGINS="https://shop.example.com")
    with app.test_request_context(headers={"Origin": origin} if origin else {}):
        headers = sse._cross_origin(app.extensions["notiway"])
    assert headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    assert bool(headers) is allowed


@pytest.fixture
def opened(app, now, token):
    """Opens a stream of ada, reads until it says `until`, and hangs up: its words, the view's answer, if it stayed."""

    def go(until, query=""):
        ours, theirs = socket.socketpair()
        answers = []

        def view():
            environ = {"werkzeug.socket": ours}
            path = f"{PATH}?access_token={token('ada')}&{query}"
            with app.test_request_context(path, environ_overrides=environ):
                answers.append(sse.stream())

        thread = threading.Thread(target=view)
        thread.start()
        theirs.settimeout(WAIT_SECONDS)
        text = b""
        while until not in text:
            text += theirs.recv(1_000)
        stayed = thread.is_alive()
        theirs.close()
        thread.join(WAIT_SECONDS)
        ours.close()
        return text, answers[0], stayed

    return go


def test_the_stream_is_the_sockets_own_and_the_view_ends_with_it(opened):
    text, answer, stayed = opened(b"event: unread")
    assert text.startswith(b"HTTP/1.1 200 OK\r\n")
    assert stayed
    assert isinstance(answer, sse.Handled)


def test_a_page_without_a_websocket_hears_the_same_frames(opened, notify):
    seen, missed = notify("ada", "Seen"), notify("ada", "Missed")
    text, _, _ = opened(b'id="notiway-badge"', f"format=html&since={seen}")
    assert b'data-notiway-event="connected"' in text
    text, _, _ = opened(b"Missed", f"format=html&since={seen}")
    assert f'data-notiway-id="{missed}"'.encode() in text
    assert seen.encode() not in text
    assert b"event: notification" not in text


def test_what_such_a_page_may_not_hear_is_told_it_as_over_a_websocket(opened):
    text, _, _ = opened(b'data-notiway-event="error"', "format=html&audience=group:secret&audience=nonsense")
    assert b'data-code="Forbidden"' in text


def test_under_gunicorn_nothing_is_written_after_the_stream():
    with pytest.raises(StopIteration):
        sse.Handled()({"gunicorn.socket": object()}, None)
