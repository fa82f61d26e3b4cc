"""Attention: what a user has said about how notifications may ask for attention, and when they are quiet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import time, timedelta
from typing import Any

from notiway.values.attention import zone as zones
from notiway.values.attention.schedule import Schedule, Window, merged
from notiway.values.clock import milliseconds, moment
from notiway.values.lists.views import Views

CHANNELS = ("toast", "browser", "sound")  # the bell has everything, whatever is muted
TOAST_SECONDS = (5, 8, 15, 0)  # 0: a toast stays until it is closed
MOTIONS = ("system", "reduced")
DENSITIES = ("comfortable", "compact")
UTC_NAME = "UTC"
MORNING = time(8, 0)
NIGHT_ENDS = time(4, 0)  # whoever is up until then means the morning that comes
PAUSES = {"30m": timedelta(minutes=30), "1h": timedelta(hours=1)}
TOMORROW, OFF = "tomorrow", "off"
SLACK_MS = 60_000  # that a pause is said to have begun before: a page reads the server's clock some moments late


@dataclass(frozen=True, slots=True)
class Attention:
    """One user's settings; as it stands, those of a user who has changed nothing. Times: milliseconds since the epoch.

    >>> Attention(paused_until=90_000).quiet(60_000)
    [(0, 90000)]
    """

    zone: str | None = None  # IANA; None: not told yet, UTC until then
    schedule: Schedule = field(default_factory=Schedule)
    paused_until: int | None = None  # do not disturb, as it was asked for
    awake_until: int | None = None  # quiet hours that the user ended early: the schedule says nothing until then
    urgent_breaks_through: bool = False
    toast_seconds: int | None = None  # None: NOTIWAY_TOAST_SECONDS; 0: until it is closed
    browser: bool = False
    sound: bool = False
    volume: int = 50  # per cent
    motion: str = "system"
    density: str = "comfortable"  # of the rows of lists
    shortcuts: bool = True
    categories: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)  # by name: channels that were chosen
    views: Views = field(default_factory=dict)  # saved searches

    @property
    def clock(self) -> str:
        """The zone that its times of day are in."""
        return self.zone or UTC_NAME

    def quiet(self, now_ms: int) -> list[Window]:
        """When nothing pops up or sounds: the windows that are not over, of the coming days, in their order."""
        awake = self.awake_until or 0
        hours = [(max(start, awake), end) for start, end in self.schedule.windows(self.clock, now_ms)]
        paused = self.paused_until or 0
        return merged([*hours, *([(now_ms - SLACK_MS, paused)] if paused > now_ms else [])])

    def quiet_until(self, now_ms: int) -> int | None:
        """When the quiet of this moment ends; None if it is not quiet."""
        return next((end for start, end in self.quiet(now_ms) if start <= now_ms), None)

    def with_pause(self, length: str, now_ms: int) -> Attention:
        """The same with a pause of `length` (`30m`, `1h`, `tomorrow`) from now on, or with no quiet now (`off`)."""
        if length == OFF:
            hours = self.schedule.windows(self.clock, now_ms)
            ended = next((end for start, end in hours if start <= now_ms), None)
            return replace(self, paused_until=None, awake_until=ended)
        until = self._morning(now_ms) if length == TOMORROW else now_ms + PAUSES[length] // timedelta(milliseconds=1)
        return replace(self, paused_until=until)

    def as_dict(self) -> dict[str, Any]:
        """As it is stored: only what differs from the defaults."""
        plain, usual = asdict(self), asdict(Attention())
        return {name: value for name, value in plain.items() if value != usual[name]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Attention:
        """The reverse of `as_dict`; keys of a newer version are passed over."""
        known = {name: value for name, value in values.items() if name in _NAMES}
        if "schedule" in known:
            schedule = known["schedule"]
            known["schedule"] = Schedule(**{**schedule, "days": tuple(schedule["days"])})
        return cls(**known)

    def _morning(self, now_ms: int) -> int:
        now = zones.local(self.clock, moment(now_ms))
        day = now.date() if now.time() < NIGHT_ENDS else now.date() + timedelta(days=1)
        return milliseconds(zones.moment_of(self.clock, day, MORNING))


_NAMES = frozenset(spec.name for spec in fields(Attention))
