"""Recalled: what was recalled is not shown by news that were under way for longer than the recall."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from notiway.values.event import UNDER_WAY_SECONDS, Event

MOST_IDS = 10_000  # the oldest are forgotten beyond it


class Recalled:
    """The ids that this process heard to be recalled, for as long as an Event may be under way.

    A process commits an item and stands still before it tells of it. Meanwhile another one recalls the item, and tells
    that at once.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}  # by id, the oldest first

    def __len__(self) -> int:
        return len(self._until)

    def left_of(self, event: Event) -> Event | None:
        """What of this Event is to be told: all of it, it without items that were recalled before, or nothing."""
        if event.kind == "recalled":
            self._note(event.data["ids"])
        elif self._until:
            if event.kind == "created":
                return None if event.data["notification"]["id"] in self._until else event
            if event.kind == "restored":
                return self._without_recalled(event)
        return event

    def _note(self, ids: list[str]) -> None:
        now = self._clock()
        for each in ids:
            self._until.pop(each, None)
            self._until[each] = now + UNDER_WAY_SECONDS
        for each, until in list(self._until.items()):
            if until > now and len(self._until) <= MOST_IDS:
                break
            del self._until[each]

    def _without_recalled(self, event: Event) -> Event:
        if not any(each["id"] in self._until for each in event.data["notifications"]):
            return event
        kept = {
            part: [each for each in event.data[part] if each["id"] not in self._until]
            for part in ("notifications", "items")
        }
        return replace(event, data=event.data | kept)
