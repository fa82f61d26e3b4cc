"""Form: what the form of the settings page says, as the changes that `PUT /notifications/settings` takes."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from notiway.values.attention.attention import CHANNELS

FLAGS = {"urgent": "urgentBreaksThrough", "browser": "browser", "sound": "sound", "shortcuts": "shortcuts"}
TEXTS = ("zone", "motion", "density")
NUMBERS = {"toast_seconds": "toastSeconds", "volume": "volume"}
PARTS = "part"  # what a form has: boxes that are not ticked are not sent


def changes_of(form: MultiDict[str, str]) -> dict[str, Any]:
    """The changes; what cannot be a number is left as text, for the checks.

    Each `part` names a box that the form has, so that one that is not ticked is off: a flag, `schedule`, or a topic
    as `topic:orders`.

    >>> changes_of(MultiDict([("part", "sound"), ("volume", "70")]))
    {'volume': 70, 'sound': False}
    """
    parts = form.getlist(PARTS)
    changes: dict[str, Any] = {name: form[name] or None for name in TEXTS if name in form}
    changes |= {to: _number(form[name]) for name, to in NUMBERS.items() if name in form}
    changes |= {to: form.get(name) == "on" for name, to in FLAGS.items() if name in parts}
    if "schedule" in parts:
        changes["schedule"] = {
            "on": form.get("schedule") == "on",
            "days": form.getlist("days"),
            **{name: form[name] for name in ("from", "to") if name in form},
        }
    topics = [part.removeprefix("topic:") for part in parts if part.startswith("topic:")]
    if topics:
        changes["categories"] = {topic: _channels(form, topic) for topic in topics}
    return changes


def _channels(form: MultiDict[str, str], topic: str) -> dict[str, bool]:
    return {channel: topic in form.getlist(f"{channel}_for") for channel in CHANNELS}


def _number(text: str) -> Any:
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else text
