"""Ornaments: parts of a host's page that it can do without. A fault of theirs is logged once, and the page stands."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from typing import TypeVar, cast

import peewee
from flask import current_app, g
from markupsafe import Markup

from notiway.live.runtime import current
from notiway.store.engine.turns import hurried, is_locked
from notiway.values.errors import Unavailable

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.2  # that a page waits for a database which another process writes to
FAULTS = (Unavailable, peewee.PeeweeException, sqlite3.Error, OSError)
NO_TABLE = ("no such table", "no such column", "does not exist")  # SQLite's words, PostgreSQL's
AWAY = "notiway_away"  # in `g`: the database does not answer, so the other parts of this page do not ask it
MIGRATE = "run: flask --app app notiway migrate"
EXAMINE = "to find out more, run: flask --app app notiway doctor"

Part = TypeVar("Part")


def drawn(name: str, draw: Callable[[], Part], instead: Callable[[], Part], *, always: bool = False) -> Part:
    """What `draw` makes; where it fails, what `instead` makes without the database, or else an empty part.

    The log tells a reason once, and again only after the part of that `name` was well in between. A fault of the
    program or of a template is raised where the application is being tested or debugged. With `always` it is tried
    whatever became of the parts before it.
    """
    told = current().told
    if g.get(AWAY, False) and not always:
        return instead()
    try:
        with hurried(PATIENCE_SECONDS):
            part = draw()
    except FAULTS as error:
        # Each part of this page would wait as long for a server that does not answer; a lock may be free by then.
        vars(g)[AWAY] = isinstance(error, Unavailable) and not is_locked(error)
        reason = _reason(error)
        if reason not in told.values():
            log.error("Notiway's parts of pages are drawn empty: %s", reason)
        told[name] = reason
        return _safely(instead)
    except Exception as error:
        if current_app.testing or current_app.debug:
            raise
        reason = f"{type(error).__name__}: {error}"
        if reason not in told.values():
            log.exception("%s is left out of pages, which stand without it: correct this", name)
        told[name] = reason
        return _safely(instead)
    told.pop(name, None)
    return part


def _safely(instead: Callable[[], Part]) -> Part:
    """The same template may be at fault for the empty part, too."""
    try:
        return instead()
    except Exception:
        log.debug("not even an empty part could be drawn", exc_info=True)
        return cast("Part", Markup())


def _reason(error: Exception) -> str:
    if isinstance(error, Unavailable):
        return error.reason
    text = " ".join(str(error).split()) or type(error).__name__
    if any(words in text for words in NO_TABLE):
        return f"its tables are not those of this version; {MIGRATE}"
    return f"{text}; {EXAMINE}"
