"""Undoing "mark all as read": what that press read is unread again, on every device, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence

from notiway.live.runtime import Runtime, current
from notiway.pausing import pause
from notiway.store import inbox
from notiway.store.changes import presses
from notiway.store.changes.presses import Press
from notiway.store.database import db
from notiway.store.inbox import Name
from notiway.store.sql import in_batches
from notiway.values.event import Event
from notiway.verbs.events import publish
from notiway.verbs.items import TOLD_SINGLY, listed


def undo(user_id: str, press: Press) -> tuple[list[str], int]:
    """Mark unread what a press read and nobody has read singly since; the ids of these, and the unread count.

    Each part is a transaction of its own. A press of another user, or one that is undone, finds nothing.
    """
    runtime = current()
    ids: list[str] = []
    last = ""
    while True:
        with db.atomic():
            names, further = presses.take_back(user_id, press, last)
            unread = inbox.unread_count(user_id)
            _tell_after_commit(runtime, user_id, names, unread)
        ids += [name.id for name in names]
        if further is None:
            return ids, unread
        last = further
        pause()


def _tell_after_commit(runtime: Runtime, user_id: str, names: Sequence[Name], unread: int) -> None:
    if names:
        db.after_commit(lambda: _tell(runtime, user_id, names, unread))


def _tell(runtime: Runtime, user_id: str, names: Sequence[Name], unread: int) -> None:
    for part in in_batches(names, TOLD_SINGLY):
        told = {"ids": [name.id for name in part], "items": listed(part), "unread": unread}
        publish(runtime, Event("unread", f"user:{user_id}", told))
