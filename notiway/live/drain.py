"""Draining: saying goodbye to many connections, so that not all of them come back in the same moment."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from notiway.live.connection import Connection
from notiway.live.reactor import Reactor
from notiway.values.close_codes import CloseCode

if TYPE_CHECKING:
    from notiway.live.hub import Hub

TICK_SECONDS = 0.02
DRAIN_SPREAD = 0.8  # part of the drain window over which closes are spread
CLOSE_SECONDS = 0.005  # spread per connection at most: a handful of tabs is closed at once


def drain(hub: Hub, window: float) -> bool:
    """Close all sockets with 1012, spread over `window` seconds; returns whether all were closed in time."""
    deadline = time.monotonic() + window
    spread = min(window * DRAIN_SPREAD, len(hub) * CLOSE_SECONDS)
    hub.close_all(CloseCode.RESTARTING, "restarting", spread)
    while len(hub) and time.monotonic() < deadline:
        time.sleep(TICK_SECONDS)
    return not len(hub)


def resync(hub: Hub, audiences: Collection[str] | None, rate: float) -> None:
    """Events were lost: let those who hear these audiences, None for all, connect again, and resume where they were.

    At most `rate` connections a second. Whatever it was they find it then: who they are is asked anew, what they missed
    is in the log, and what was read or deleted is in their lists.
    """
    hub.heard = object()

    def begin() -> None:
        keys = ("global",) if audiences is None else audiences
        found = list(dict.fromkeys(each for key in keys for each in hub.listeners_of(key)))
        close_gradually(hub.reactor, found, CloseCode.RESTARTING, "resuming", len(found) / rate)

    hub.reactor.call_soon(begin)


def close_gradually(
    reactor: Reactor, connections: Iterable[Connection], code: int, reason: str, seconds: float
) -> None:
    """Close the connections one after the other over so many seconds; call it on the reactor."""
    leaving = deque(connections)
    at_once = max(1, math.ceil(len(leaving) * TICK_SECONDS / seconds)) if seconds else len(leaving)

    def close_some() -> bool:
        for _ in range(min(at_once, len(leaving))):
            leaving.popleft().close(code, reason)
        return bool(leaving)

    reactor.ticker(TICK_SECONDS, close_some)()
