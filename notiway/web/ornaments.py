"""Ornaments: parts of a host's page that it can do without. A fault of theirs is logged once, and the page stands."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from typing import TypeVar

import peewee

from notiway.live.runtime import current
from notiway.store.engine.turns import hurried
from notiway.values.errors import Unavailable

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.2  # that a page waits for a database which another process writes to
FAULTS = (Unavailable, peewee.PeeweeException, sqlite3.Error, OSError)
NO_TABLE = ("no such table", "no such column", "does not exist")  # SQLite's words, PostgreSQL's
MIGRATE = "run: flask --app app notiway migrate"
EXAMINE = "to find out more, run: flask --app app notiway doctor"

Part = TypeVar("Part")


def drawn(name: str, draw: Callable[[], Part], instead: Callable[[], Part]) -> Part:
    """What `draw` makes; where the database cannot answer, what `instead` makes without it.

    The log tells a reason once, and again only after the part of that `name` was well in between.
    """
    told = current().told
    try:
        with hurried(PATIENCE_SECONDS):
            part = draw()
    except FAULTS as error:
        reason = _reason(error)
        if reason not in told.values():
            log.error("Notiway's parts of pages are drawn empty: %s", reason)
        told[name] = reason
        return instead()
    told.pop(name, None)
    return part


def _reason(error: Exception) -> str:
    if isinstance(error, Unavailable):
        return error.reason
    text = " ".join(str(error).split()) or type(error).__name__
    if any(words in text for words in NO_TABLE):
        return f"its tables are not those of this version; {MIGRATE}"
    return f"{text}; {EXAMINE}"
