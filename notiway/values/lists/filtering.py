"""Filtering: what a history list may be narrowed to, in a query, a form, or a search that a user has saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notiway.values.errors import Fault
from notiway.values.item import PRIORITIES, TYPES

STATES = ("all", "unread", "read", "archived", "snoozed")
NAMES = ("state", "type", "source", "priority", "category", "text")
CHOICES = {"state": STATES, "type": TYPES, "priority": PRIORITIES}
MAX_TEXT = 200  # characters


def filter_faults(values: Mapping[str, str]) -> list[Fault]:
    """Everything that is wrong with these filters; an empty one lets in all.

    >>> [fault.path for fault in filter_faults({"type": "odd", "priority": "", "text": "invoice"})]
    ['type']
    """
    faults = [
        Fault(name, f"must be one of {', '.join(allowed)}")
        for name, allowed in CHOICES.items()
        if values.get(name) and values[name] not in allowed
    ]
    faults += [
        Fault(name, f"must be plain text of at most {MAX_TEXT} characters")
        for name in ("source", "category", "text")
        if len(values.get(name, "")) > MAX_TEXT or "\0" in values.get(name, "")
    ]
    return faults


def narrowing(filters: Mapping[str, Any]) -> dict[str, str]:
    """Of all filters those that leave something out; `all` is no state of its own.

    >>> narrowing({"state": "all", "type": "error", "text": None})
    {'type': 'error'}
    """
    given = {name: filters.get(name) for name in NAMES}
    return {name: value for name, value in given.items() if value and (name, value) != ("state", "all")}
