"""Gate: how many live connections a process takes in a second; others are told when to come back."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from notiway import metrics
from notiway.live.limits.bucket import Bucket
from notiway.values.errors import Busy

CROWDED = "Too many clients connect at once. Try again in a few seconds."
LONGEST_RETRY_SECONDS = 4  # clients that are refused together do not come back together


class Gate:
    """Lets `rate` connects a second pass, a second's worth at once. Asked before anything is read for a connect.

    >>> gate = Gate(1, clock=lambda: 0.0)
    >>> gate.admit()
    >>> gate.admit()
    Traceback (most recent call last):
    ...
    notiway.values.errors.Busy: Too many clients connect at once. Try again in a few seconds.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._bucket = Bucket(rate, rate, clock())

    def admit(self) -> None:
        """Take a place; `Busy` when there is none. Nobody owes what was refused."""
        if not self._bucket.take_if_there(1, self._clock()):
            metrics.CONNECTS_REFUSED.inc()
            raise Busy(CROWDED, 1 + secrets.randbelow(LONGEST_RETRY_SECONDS))
