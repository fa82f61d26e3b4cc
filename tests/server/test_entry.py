"""Who gets a socket: origins, sessions, how many; and what a socket does to the session (nothing)."""

from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server.raw import KEY, upgrade
from server.talk import Listener, inbox, is_open_elsewhere, listen, new_visitor, open_socket

FRIEND = "https://friend.example"
LIMIT = 3


@pytest.fixture(scope="module")
def strict_site(make_site):
    """With a friendly origin and few connections for each user."""
    return make_site(NOTIWAY_ALLOWED_ORIGINS=FRIEND, NOTIWAY_MAX_CONNECTIONS_PER_USER=LIMIT).start()


@pytest.fixture
def guest(strict_site):
    with new_visitor(strict_site) as visitor:
        yield visitor


def status_of(site, **options):
    """The status of a handshake: 101, or that of the refusal."""
    try:
        with open_socket(site, **options):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


FOREIGN = [
    "https://evil.example",
    "http://127.0.0.1",
    "http://127.0.0.1.evil.example:{port}",
    "http://evil.example:{port}",
    "ftp://127.0.0.1:{port}",
    "null",
    "",
    "http://",
    "http://[",
    FRIEND + ".evil.example",
    FRIEND.replace("https", "http"),
    "*",
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_origin_is_refused_before_the_upgrade(strict_site, guest, origin):
    origin = origin.format(port=strict_site.port)
    with upgrade(strict_site, Cookie=guest.cookie, Origin=origin) as (status, _):
        assert status == 403


def test_a_foreign_origin_is_refused_under_either_server(ada):
    assert status_of(ada.site, cookie=ada.cookie, origin="https://evil.example") == 403


def test_the_sites_own_origin_may_connect(ada):
    assert status_of(ada.site, cookie=ada.cookie, origin=ada.site.url) == 101


def test_an_allowed_origin_may_connect(strict_site, guest):
    assert status_of(strict_site, cookie=guest.cookie, origin=FRIEND) == 101


def test_a_client_that_is_no_browser_sends_no_origin(ada):
    assert status_of(ada.site, cookie=ada.cookie) == 101


@pytest.mark.parametrize("cookie", ["", "notiway_session=forged", "session=x; notiway_session=eyJhIjoxfQ.a.b"])
def test_without_a_session_the_socket_is_closed_with_4001_and_hears_nothing(any_site, cookie):
    with open_socket(any_site, cookie) as socket:
        assert Listener(socket).read_to_end() == ([], 4001)


def test_a_session_that_was_ended_opens_no_socket(ada):
    cookie = ada.cookie
    assert ada.post("/account/sign-out-everywhere").ok
    with open_socket(ada.site, cookie) as socket:
        assert Listener(socket).read_to_end() == ([], 4001)


def test_an_unknown_format_is_refused(ada):
    assert status_of(ada.site, cookie=ada.cookie, query={"format": "xml"}) == 400


def test_one_too_many_is_closed_with_4008_and_a_place_that_gets_free_may_be_taken(strict_site, guest):
    with ExitStack() as tabs:
        for _ in range(LIMIT - 1):
            tabs.enter_context(listen(guest))
        with listen(guest) as last:
            with listen(guest, connected=False) as one_too_many:
                assert one_too_many.close_code() == 4008
            assert last.ask("ping")["event"] == "pong"
        with new_visitor(strict_site) as somebody_else, listen(somebody_else):
            is_open_elsewhere(strict_site, LIMIT)
            with listen(guest) as again:
                assert again.ask("ping")["event"] == "pong"


def test_a_socket_that_drops_frees_its_place(strict_site, guest):
    for _ in range(LIMIT * 3):
        with listen(guest) as tab:
            tab.socket.socket.close()
        is_open_elsewhere(strict_site, 0)


def test_background_traffic_never_extends_the_login(ada):
    assert "Set-Cookie" in ada.get("/notifications").headers, "a person's request does"
    for path in ("/notifications", "/notifications/recent", "/dashboard"):
        quiet = ada.get(path, headers={"X-Notiway-Background": "1"})
        assert quiet.ok
        assert "Set-Cookie" not in quiet.headers
    with listen(ada) as tab:
        assert "Set-Cookie" not in tab.headers
    handshake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": KEY}
    for more in ({"Sec-WebSocket-Version": "8"}, {"Sec-WebSocket-Version": "13", "Origin": "https://evil.example"}):
        refused = ada.get("/ws/notifications", headers=handshake | more)
        assert refused.status_code in (403, 426)
        assert "Set-Cookie" not in refused.headers


def test_an_open_socket_goes_on_when_its_page_asks_for_other_things(ada):
    with listen(ada) as tab:
        for _ in range(3):
            inbox(ada)
        assert tab.ask("ping")["event"] == "pong"
        with pytest.raises(TimeoutError):
            tab.socket.recv(timeout=0)


def test_after_the_client_says_goodbye_the_server_closes_too(ada):
    with listen(ada) as tab:
        tab.socket.close(1001, "off")
        with pytest.raises(ConnectionClosed) as closed:
            tab.hear()
    assert closed.value.rcvd.code == 1001
    assert closed.value.rcvd_then_sent is False
