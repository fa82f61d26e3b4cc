"""Archiving: items leave list and count, and are found again under their own state. Every device of the user hears."""

from __future__ import annotations

from collections.abc import Sequence

from notiway.live.runtime import current
from notiway.store import inbox
from notiway.store.changes import archive as store
from notiway.store.database import db
from notiway.store.session.joining import stands_aside
from notiway.verbs.items import change, tell_restored


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
    runtime = current()
    inbox.catch_up(user_id)
    with db.atomic():
        items = store.put_back(user_id, ids)
        unread = inbox.unread_count(user_id)
        db.after_commit(lambda: tell_restored(runtime, user_id, items, unread))
    return unread
