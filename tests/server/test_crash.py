"""A crash between commit and publish loses nothing: whoever reconnects has it (DESIGN, invariant 1)."""

import re

import pytest
import requests
from held import HeldSite
from servers import wait_until
from serving import Site
from websockets.exceptions import ConnectionClosed

from server.talk import inbox, listen

BADGE = re.compile(r'id="notiway-badge"[^>]*data-count="(\d+)"')
FATAL_TITLE = "This one kills the server"


@pytest.mark.parametrize("kind", [Site, HeldSite])
def test_killed_between_commit_and_publish_the_notification_is_there_after_the_restart(make_site, kind):
    site = make_site("crashing_app:app", kind, CRASH_AT=FATAL_TITLE).start()
    with site.sign_in() as demo:
        demo.notify("Before")
        with listen(demo) as tab:
            with pytest.raises(requests.ConnectionError):
                demo.notify(FATAL_TITLE)
            with pytest.raises(ConnectionClosed) as closed:
                tab.hear()
            assert closed.value.rcvd is None, "killed, not closed"
        assert wait_until(site.process.poll) == -9
        site.start()
        items, unread = inbox(demo)
        assert [item["title"] for item in items] == [FATAL_TITLE, "Before"]
        assert unread == 2
        with listen(demo, since=items[1]["id"]) as tab:
            assert tab.connected["unreadCount"] == 2
            assert tab.hear_only("notification")["title"] == FATAL_TITLE
            assert tab.ask("ping")["event"] == "pong"
        page = demo.get("/dashboard", headers={"Accept": "text/html"}).text
        assert f"since={items[0]['id']}" in page
        assert BADGE.search(page).group(1) == "2"
    site.close()
