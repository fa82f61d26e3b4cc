"""Hot statements as SQL text: the query builder costs ten times the statement (docs/explanation/performance.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from notiway.store.database import db

# SQLite's planner would walk over all items of a user, and over all notifications since a user's last visit; others
# choose these indexes by themselves.
BY_UNREAD = " INDEXED BY notiway_inbox_item_unread"
BY_AUDIENCE = " INDEXED BY notiway_notification_audience_id"


def run(text: str, params: Sequence[Any] = ()) -> Any:
    """Execute SQL written with `?` on whichever database is bound; returns the cursor."""
    if db.param != "?":
        text = text.replace(BY_UNREAD, "").replace(BY_AUDIENCE, "").replace("?", db.param)
    return db.execute_sql(text, params)


def marks(values: Sequence[Any]) -> str:
    """`?,?,?`: as many placeholders as there are values."""
    return ",".join("?" * len(values))
