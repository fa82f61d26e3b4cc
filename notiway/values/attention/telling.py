"""Telling: a user's settings as pages and clients see them."""

from __future__ import annotations

from typing import Any

from notiway.values.attention import topics
from notiway.values.attention.attention import Attention
from notiway.values.kinds.registry import Kinds


def told(attention: Attention, revision: int, kinds: Kinds, now_ms: int) -> dict[str, Any]:
    """Everything that a client needs to follow them; it needs no arithmetic of time zones.

    `now` is the server's clock, and `quiet` the windows of the coming days in which nothing pops up or sounds, all in
    milliseconds since the epoch. `categories` has those whose notifications do not use every channel, and `always` the
    names of notifications that nobody mutes. A greater `revision` is a newer change.

    >>> told(Attention(paused_until=90_000), 3, Kinds(), 60_000)["quietUntil"]
    90000
    """
    channels = {topic.name: dict(topic.channels) for topic in topics.topics(kinds, attention)}
    schedule = attention.schedule
    return {
        "revision": revision,
        "now": now_ms,
        "quietUntil": attention.quiet_until(now_ms),
        "quiet": [{"from": start, "until": end} for start, end in attention.quiet(now_ms)],
        "zone": attention.zone,
        "schedule": {
            "on": schedule.on,
            "days": list(schedule.days),
            "from": schedule.begins,
            "to": schedule.ends,
        },
        "urgentBreaksThrough": attention.urgent_breaks_through,
        "toastSeconds": attention.toast_seconds,
        "browser": attention.browser,
        "sound": attention.sound,
        "volume": attention.volume,
        "motion": attention.motion,
        "density": attention.density,
        "shortcuts": attention.shortcuts,
        "categories": {name: each for name, each in channels.items() if each != topics.EVERY_CHANNEL},
        "always": topics.always(kinds),
    }


def told_in_full(
    attention: Attention, revision: int, kinds: Kinds, now_ms: int, met: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The same for whoever asks: with the saved searches, and every topic there is to choose for, and its label."""
    listed = [
        {"name": each.name, "label": each.label, "mutable": each.mutable, **each.channels}
        for each in topics.topics(kinds, attention, met)
    ]
    views = {name: dict(filters) for name, filters in attention.views.items()}
    return {**told(attention, revision, kinds, now_ms), "views": views, "topics": listed}
