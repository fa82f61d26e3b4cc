"""Throttle: rate limits for producers, in memory or in the Redis that the broker uses."""

from __future__ import annotations

import math
import time

from limits import parse
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from notiway.values.errors import Throttled


class Throttle:
    """Counts what each client did lately.

    >>> Throttle("memory://").take("publish", "2 per minute", "billing")
    """

    def __init__(self, storage_url: str) -> None:
        self._limiter = MovingWindowRateLimiter(storage_from_string(storage_url))

    def take(self, what: str, rate: str, who: str, amount: int = 1) -> None:
        """Count `amount` for `who`; `Throttled`, with seconds to wait, when that goes over the rate."""
        limit = parse(rate)
        cost = min(amount, limit.amount)  # a batch larger than the whole limit may pass an empty window
        if self._limiter.hit(limit, what, who, cost=cost):
            return
        reset_at = self._limiter.get_window_stats(limit, what, who).reset_time
        raise Throttled(f"Too many requests: the limit is {rate}", max(1, math.ceil(reset_at - time.time())))
