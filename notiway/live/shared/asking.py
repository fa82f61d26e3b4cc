"""Asking: questions to Redis that are not asked while it does not answer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from notiway.values.errors import BrokerDown

log = logging.getLogger(__name__)

AWAY_SECONDS = 2.0  # after a question without an answer nobody else waits for one
Answer = TypeVar("Answer")


class Asking:
    """Asks a client, and says once when it is away and once when it is back.

    >>> Asking(client).ask(lambda redis: redis.ping(), lambda: False)  # doctest: +SKIP
    True
    """

    def __init__(self, client: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._silent_until: float | None = None

    @property
    def is_away(self) -> bool:
        """Whether it did not answer a moment ago."""
        return self._silent_until is not None and self._clock() < self._silent_until

    def ask(self, question: Callable[[Any], Answer], otherwise: Callable[[], Answer]) -> Answer:
        """The answer of Redis; while it is away that of `otherwise`, which this process knows by itself."""
        try:
            return self.need(question)
        except BrokerDown:
            return otherwise()

    def need(self, question: Callable[[Any], Answer]) -> Answer:
        """The answer of Redis; `BrokerDown` while it is away."""
        if self.is_away:
            raise BrokerDown("Redis did not answer a moment ago")
        try:
            answer = question(self.client)
        except BrokerDown as error:
            self._note(error)
            raise
        if self._silent_until is not None:
            self._note(None)
        return answer

    def _note(self, error: BrokerDown | None) -> None:
        with self._lock:
            was_away = self._silent_until is not None
            self._silent_until = None if error is None else self._clock() + AWAY_SECONDS
        if error is not None and not was_away:
            log.warning(
                "Redis does not answer (%s): until it does, limits, rates, ids of unstored notifications and who is"
                " online are those of this process alone; start Redis, or correct NOTIWAY_BROKER_URL",
                error.reason,
            )
        elif error is None and was_away:
            log.warning("Redis answers again: limits and who is online are those of all processes")
