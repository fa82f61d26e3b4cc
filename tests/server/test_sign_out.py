"""Signing out closes sockets: of one login in all its tabs, or of the user everywhere."""

import pytest
from websockets.exceptions import ConnectionClosed

from server.talk import listen


@pytest.fixture
def phone(ada):
    """The same user, signed in on another device."""
    with ada.site.sign_in(ada.email) as visitor:
        yield visitor


def test_sign_out_closes_that_sessions_sockets_in_every_tab_and_no_other(ada, phone, bob):
    with (
        listen(ada) as tab,
        listen(ada, format="html", connected=False) as other_tab,
        listen(phone) as on_the_phone,
        listen(bob) as stranger,
    ):
        assert ada.post("/logout").ok
        assert tab.close_code() == 4009
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                other_tab.socket.recv(timeout=60)
        assert closed.value.rcvd.code == 4009
        assert on_the_phone.ask("ping")["event"] == "pong"
        assert stranger.ask("ping")["event"] == "pong"


def test_sign_out_everywhere_closes_all_of_the_users_sockets_and_no_other(ada, phone, bob):
    with listen(ada) as tab, listen(phone) as on_the_phone, listen(bob) as stranger:
        assert ada.post("/account/sign-out-everywhere").ok
        assert tab.close_code() == on_the_phone.close_code() == 4009
        assert stranger.ask("ping")["event"] == "pong"


def test_a_socket_that_connects_while_its_session_is_signed_out_does_not_stay(ada):
    cookie = ada.cookie
    assert ada.post("/logout").ok
    ada.cookies.clear()
    with ada.site.sign_in(ada.email) as again, listen(again) as tab:
        assert cookie not in again.cookie
        assert again.post("/logout").ok
        assert tab.close_code() == 4009


def test_what_was_sent_before_the_sign_out_is_heard_before_the_close(ada):
    with listen(ada) as tab:
        ids = [ada.notify(f"Number {number}")["id"] for number in range(3)]
        assert ada.post("/logout").ok
        heard, code = tab.read_to_end()
    assert code == 4009
    assert [message["data"]["id"] for message in heard if message["event"] == "notification"] == ids


def test_deactivating_a_user_closes_all_of_their_sockets(start):
    site = start(NOTIWAY_JOBS="web")  # the command reaches the server through the queue of the background work
    with site.sign_in() as demo, site.sign_in() as phone, site.sign_in("staff@example.com") as staff:
        with listen(demo) as tab, listen(phone) as on_the_phone, listen(staff) as stranger:
            site.command("user", "deactivate", "demo@example.com")
            assert tab.close_code() == on_the_phone.close_code() == 4009
            assert stranger.ask("ping")["event"] == "pong"
        assert demo.get("/notifications").status_code == 401
        with listen(demo, connected=False) as tab:
            assert tab.close_code() == 4001
