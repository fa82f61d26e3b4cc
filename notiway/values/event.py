"""Event: the only thing that crosses the broker.

Processes of several versions may be connected to one broker. A newer one may send kinds and fields that an older one
does not know: those are passed over. What is in use already keeps its name and meaning.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from notiway.values.count import Count

UNDER_WAY_SECONDS = 60  # how long an Event may take to a client, by the job queue too: a resume overlaps by as much

_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)  # json.dumps would make one for each Event
VERSION = 1  # of the form in which an Event crosses the broker; told for whoever looks, and not compared
COUNT_CAP = 100  # unread items: the badge shows 99+, so counting further is wasted

KINDS = frozenset(
    {
        "created",
        "read",
        "unread",
        "read_all",
        "read_each",
        "deleted",
        "restored",
        "recalled",
        "answered",
        "sync",
        "joined",
        "left",
        "kick",
        "renewed",
        "settings",
    }
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an audience, told to every process.

    `audience` is an audience key; `data` is JSON and depends on the kind: see docs/reference/events.md.
    Counts in `data["unread"]` are absolute.

    >>> Event.from_bytes(Event("sync", "user:42", {"unread": 3}).to_bytes()).data["unread"]
    3
    """

    kind: str
    audience: str
    data: dict[str, Any] = field(default_factory=dict)
    published_at: float = 0.0  # seconds since the epoch, for the latency histogram; 0: not measured

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of event")

    @property
    def leaves_counts_open(self) -> bool:
        """A stored broadcast, or its recall: it changes the count of each who hears it, and cannot tell everyone's."""
        if "unread" in self.data:
            return False
        return self.kind == "recalled" or self.is_stored

    @property
    def is_stored(self) -> bool:
        """Whether it brings a notification that is stored."""
        return self.kind == "created" and bool(self.data.get("notification", {}).get("persisted"))

    @property
    def unread(self) -> int | None:
        """The count that it tells, with the position that it goes up to where it says so; None where it tells none."""
        unread, counted_to = self.data.get("unread"), self.data.get("as_of")
        return unread if unread is None or counted_to is None else Count(unread, counted_to)

    @property
    def told_at(self) -> str:
        """The audience whose listeners' processes must hear of it.

        A broadcast that is recalled is taken from whoever has it, and they may not listen to its audience any more.
        """
        is_broadcast = self.audience.startswith(("tenant:", "group:"))
        return "global" if self.kind == "recalled" and is_broadcast else self.audience

    def to_bytes(self) -> bytes:
        """UTF-8 JSON, compact."""
        parts = {"v": VERSION, "k": self.kind, "a": self.audience, "d": self.data, "t": self.published_at}
        return _ENCODER.encode(parts).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Event:
        """The reverse of `to_bytes`; `ValueError` if the bytes are no Event, or one of a kind unknown here."""
        try:
            parts = json.loads(raw)
            kind, audience, data, published_at = parts["k"], parts["a"], parts["d"], parts.get("t", 0.0)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("these bytes are no event") from error
        if not (isinstance(audience, str) and isinstance(data, dict) and isinstance(published_at, float | int)):
            raise ValueError("these bytes are no event")
        return cls(kind, audience, data, published_at)
