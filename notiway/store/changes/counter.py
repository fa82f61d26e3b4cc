"""The counter: how often a user has changed something in the inbox. Pages and presses go by it."""

from __future__ import annotations

from notiway.store.sql import run
from notiway.store.writing import RECALLS


def changes(user_id: str) -> int:
    """A page that knows another number has missed something: an item that was marked, moved, deleted or recalled."""
    own = "SELECT changes FROM notiway_inbox_cursor WHERE user_id = ?"
    return int(run(f"SELECT COALESCE(({own}), 0) + COALESCE(({RECALLS}), 0)", (user_id,)).fetchone()[0])


def note_change(user_id: str) -> int | None:
    """Count one more change, inside a transaction; its number, which no other change of this user has.

    None for a user who has never looked, and so has nothing to change.
    """
    counted = "UPDATE notiway_inbox_cursor SET changes = changes + 1 WHERE user_id = ? RETURNING changes"
    rows = run(counted, (user_id,)).fetchall()
    return rows[0][0] if rows else None
