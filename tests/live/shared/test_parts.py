"""Parts: the broker's URL decides whether processes share anything, and nothing connects before it is asked."""

import pytest
from pair import make_hub

from notiway.live.limits.seen_ids import SeenIds
from notiway.live.limits.throttle import Windows
from notiway.live.reactor import Reactor
from notiway.live.shared.parts import open_parts
from notiway.live.shared.peers import Peers
from notiway.live.shared.presence import Here
from notiway.live.shared.shared_ids import SharedIds
from notiway.live.shared.shared_windows import SharedWindows
from notiway.values.config import Config


@pytest.mark.parametrize(
    ("url", "kinds"),
    [
        ("memory://", (Here, SeenIds, Windows)),
        ("redis://127.0.0.1:1", (Peers, SharedIds, SharedWindows)),
        ("unix:///nowhere/redis.sock", (Peers, SharedIds, SharedWindows)),
    ],
)
def test_the_url_decides(url, kinds):
    hub = make_hub(Reactor())
    parts = open_parts(Config(broker_url=url), hub)
    assert (type(parts.presence), type(parts.seen_ids), type(parts.windows)) == kinds
    assert (hub.listeners.changed is None) == (url == "memory://"), "what nobody asks for is not noted"


def test_whoever_waits_for_a_redis_that_is_away_does_so_for_all():
    parts = open_parts(Config(broker_url="redis://127.0.0.1:1"), make_hub(Reactor()))
    assert parts.presence._asking is parts.seen_ids._asking is parts.windows._asking
