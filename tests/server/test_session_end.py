"""A socket lives as long as its session: not shorter, while pages are opened, and not longer."""

import time

from clients.wires import stream
from servers import wait_until

from server.talk import listen

LIFETIME = 3  # seconds


def test_a_socket_stays_while_pages_are_opened_and_ends_when_the_session_does(start):
    site = start(SESSION_SECONDS=LIFETIME)
    with site.sign_in() as demo, listen(demo) as tab, listen(demo, format="html", connected=False) as other:
        began = time.time()

        def click():
            assert demo.get("/account", headers={"Accept": "text/html"}, allow_redirects=False).status_code == 200
            return time.time() - began > 2 * LIFETIME

        wait_until(click)
        last = time.time()
        assert tab.ask("ping")["event"] == "pong", "closed though its session lives"
        assert tab.close_code() == 4009
        assert time.time() - last > LIFETIME - 2, "closed before its session ended"
        assert demo.get("/account", allow_redirects=False).status_code in (302, 401)
        assert other.socket.recv(timeout=60) is not None


def test_a_socket_that_opens_late_does_not_outlive_the_session(start):
    site = start(SESSION_SECONDS=LIFETIME)
    with site.sign_in() as demo:
        signed = time.time()
        wait_until(lambda: time.time() - signed > LIFETIME - 1)
        with listen(demo) as tab, stream(site, headers={"Cookie": demo.cookie}) as events:
            events.next("connected")
            assert tab.close_code() == 4009
            assert time.time() - signed < 2 * LIFETIME - 1, "a whole lifetime from when it opened"
