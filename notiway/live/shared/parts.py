"""Parts: what an application's processes have in common, in the broker's Redis where they share one, else in memory."""

from __future__ import annotations

from dataclasses import dataclass

from notiway.live.hub import Hub
from notiway.live.limits.seen_ids import Ids, SeenIds
from notiway.live.limits.throttle import Counts, Windows
from notiway.live.shared.presence import Here, Presence
from notiway.values.config import Config


@dataclass(frozen=True, slots=True)
class Parts:
    """Who is connected, which ids were taken, and what is counted against rates."""

    presence: Presence
    seen_ids: Ids
    windows: Counts


def open_parts(config: Config, hub: Hub) -> Parts:
    """The parts for the broker that the settings name. Nothing connects yet.

    >>> open_parts(Config(), hub).presence.is_shared  # doctest: +SKIP
    False
    """
    if not config.broker_is_shared:
        return Parts(Here(hub), SeenIds(), Windows())
    from notiway.live.broker.redis_client import open_client
    from notiway.live.shared.asking import Asking
    from notiway.live.shared.peers import Peers
    from notiway.live.shared.shared_ids import SharedIds
    from notiway.live.shared.shared_windows import SharedWindows

    asking = Asking(open_client(config.broker_url))  # one for all: whoever waits in vain does so for the others
    return Parts(Peers(asking, hub, config.max_connections_per_user), SharedIds(asking), SharedWindows(asking))
