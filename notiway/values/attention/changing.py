"""Changing: what a user wants to have changed, from JSON. What is left out stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from notiway.values.attention import topics, zone
from notiway.values.attention.attention import DENSITIES, MOTIONS, OFF, PAUSES, TOAST_SECONDS, TOMORROW, Attention
from notiway.values.attention.schedule import DAYS, Schedule
from notiway.values.errors import Fault, InvalidSettings
from notiway.values.kinds.registry import Kinds
from notiway.values.lists.views import view_faults, with_views

TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
LENGTHS = (*PAUSES, TOMORROW, OFF)
SCHEDULE_NAMES = {"on": "on", "days": "days", "from": "begins", "to": "ends"}
MOST_VOLUME = 100

Check = Callable[[Any], str | None]


def changed(attention: Attention, given: Mapping[str, Any], kinds: Kinds, now_ms: int) -> Attention:
    """The settings with these changes; `InvalidSettings` names every fault, and then nothing is changed.

    >>> changed(Attention(), {"sound": True, "pause": "30m"}, Kinds(), 0).paused_until
    1800000
    """
    faults = _faults(attention, given, kinds)
    if faults:
        raise InvalidSettings("Nothing was changed", faults)
    plain = {NAMES[name]: value for name, value in given.items() if name in NAMES}
    result = replace(attention, **plain)
    if "schedule" in given:
        result = replace(result, schedule=_schedule(attention.schedule, given["schedule"]))
    if "categories" in given:
        result = replace(result, categories=topics.chosen(kinds, attention, given["categories"]))
    if "views" in given:
        result = replace(result, views=with_views(attention.views, given["views"]))
    if "pause" in given:
        result = result.with_pause(given["pause"], now_ms)
    elif result.schedule != attention.schedule:
        result = replace(result, awake_until=None)  # that was about other hours
    return result


def _faults(attention: Attention, given: Mapping[str, Any], kinds: Kinds) -> list[Fault]:
    found = []
    for name, value in given.items():
        if name == "schedule":
            found += _schedule_faults(attention.schedule, value)
        elif name == "categories":
            is_object = isinstance(value, Mapping)
            wrong = [Fault(name, "must be an object")]
            found += topics.choice_faults(kinds, attention, value) if is_object else wrong
        elif name == "views":
            found += view_faults(attention.views, value)
        elif name not in CHECKS:
            names = ", ".join((*CHECKS, "schedule", "categories", "views"))
            found.append(Fault(name, f"is no setting; there are {names}"))
        elif (text := CHECKS[name](value)) is not None:
            found.append(Fault(name, text))
    return found


def _schedule_faults(schedule: Schedule, given: object) -> list[Fault]:
    if not isinstance(given, Mapping):
        return [Fault("schedule", f"must be an object with {', '.join(SCHEDULE_NAMES)}")]
    found = []
    for name, value in given.items():
        if name not in SCHEDULE_NAMES:
            found.append(Fault(f"schedule.{name}", f"is no part of a schedule; there are {', '.join(SCHEDULE_NAMES)}"))
        elif name == "on" and (text := _flag(value)):
            found.append(Fault("schedule.on", text))
        elif name == "days" and not (isinstance(value, list) and all(each in DAYS for each in value)):
            found.append(Fault("schedule.days", f"must be a list of {', '.join(DAYS)}"))
        elif name in ("from", "to") and not (isinstance(value, str) and TIME.fullmatch(value)):
            found.append(Fault(f"schedule.{name}", "must be a time of day as 22:00"))
    if not found and given.get("on", schedule.on) and not given.get("days", schedule.days):
        found.append(Fault("schedule.days", "must name at least one day"))
    return found


def _schedule(schedule: Schedule, given: Mapping[str, Any]) -> Schedule:
    values = asdict(schedule) | {SCHEDULE_NAMES[name]: value for name, value in given.items()}
    return Schedule(**{**values, "days": tuple(day for day in DAYS if day in values["days"])})


def _one_of(values: tuple[Any, ...], words: str) -> Check:
    def check(value: Any) -> str | None:
        is_one = any(value == each and type(value) is type(each) for each in values)
        return None if is_one else f"must be one of {words}"

    return check


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _zone(value: Any) -> str | None:
    is_known = value is None or (isinstance(value, str) and value in zone.known())
    return None if is_known else "must be a time zone of the IANA database, such as Europe/Berlin"


def _volume(value: Any) -> str | None:
    is_good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_VOLUME
    return None if is_good else f"must be a whole number from 0 to {MOST_VOLUME}"


NAMES = {
    "zone": "zone",
    "urgentBreaksThrough": "urgent_breaks_through",
    "toastSeconds": "toast_seconds",
    "browser": "browser",
    "sound": "sound",
    "volume": "volume",
    "motion": "motion",
    "density": "density",
    "shortcuts": "shortcuts",
}
CHECKS: dict[str, Check] = {
    "zone": _zone,
    "pause": _one_of(LENGTHS, ", ".join(LENGTHS)),
    "urgentBreaksThrough": _flag,
    "toastSeconds": _one_of((None, *TOAST_SECONDS), "null, 5, 8, 15, or 0 for never"),
    "browser": _flag,
    "sound": _flag,
    "volume": _volume,
    "motion": _one_of(MOTIONS, ", ".join(MOTIONS)),
    "density": _one_of(DENSITIES, ", ".join(DENSITIES)),
    "shortcuts": _flag,
}
