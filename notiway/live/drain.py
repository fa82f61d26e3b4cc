"""Closing: saying goodbye to many connections, so that not all of them come back in the same moment."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

from notiway.live.connection import Connection
from notiway.live.reactor import Reactor

TICK_SECONDS = 0.02


def close_gradually(
    reactor: Reactor, connections: Iterable[Connection], code: int, reason: str, seconds: float
) -> None:
    """Close the connections one after the other over so many seconds; call it on the reactor."""
    leaving = deque(connections)
    at_once = max(1, math.ceil(len(leaving) * TICK_SECONDS / seconds)) if seconds else len(leaving)

    def close_some() -> None:
        for _ in range(min(at_once, len(leaving))):
            leaving.popleft().close(code, reason)

    reactor.every(TICK_SECONDS, close_some)
