"""Archiving: items leave list and count, and are found again under their own state. Every device of the user hears."""

from __future__ import annotations

from collections.abc import Sequence

from notiway.store.changes import archive as store
from notiway.store.session.joining import stands_aside
from notiway.verbs.items import bring_back, change


@stands_aside
def archive(user_id: str, ids: Sequence[str]) -> int:
    """Archive items, wherever they are now; `put_back` undoes it. They keep their read state. Returns the unread count.

    `NotFound`, and nothing changed, if one is not the user's.
    """
    return change("deleted", user_id, ids, store.archive, archived=True)


@stands_aside
def put_back(user_id: str, ids: Sequence[str]) -> int:
    """Put archived and snoozed items back into the list; returns the unread count.

    `NotFound`, and nothing changed, if one is deleted or not the user's.
    """
    return bring_back(user_id, ids, store.put_back)
