"""Recalling: a notification is taken back from everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from notiway.live.runtime import Runtime, current
from notiway.pausing import pause
from notiway.store import audit, writing
from notiway.store.database import db
from notiway.store.rows import SEVERAL
from notiway.store.session.joining import joins
from notiway.store.sql import in_batches
from notiway.values.errors import NotFound
from notiway.values.event import Event
from notiway.values.item import Item
from notiway.verbs.events import heard_of, named, publish_all, unread_counts
from notiway.verbs.send import TOLD_AT_ONCE


@joins
def recall(notification_id: str, *, by: str) -> bool:
    """Take a notification back from everybody: it vanishes from every list, count and banner at once.

    `by` is the user who does it, for the audit log. False, and nothing happened, if it was recalled before;
    `NotFound` if there is none of that id.
    """
    runtime = current()
    with db.atomic():
        item = writing.find(notification_id)
        if item is None:
            raise NotFound("There is no such notification")
        if not writing.recall(item.id):
            return False
        audit.record(by, "recall", item.audience, notification_id=item.id, details={"title": item.title})
        db.after_commit(lambda: _tell(runtime, item))
    return True


def _tell(runtime: Runtime, item: Item) -> None:
    """Named users get their new count; after a broadcast each process corrects those who are connected to it."""
    if item.audience != SEVERAL:
        _tell_some(runtime, item, [item.audience])
        return
    last = ""
    while holders := writing.holders(item.id, last):
        for part in in_batches(heard_of(runtime, holders), TOLD_AT_ONCE):
            _tell_some(runtime, item, [f"user:{user_id}" for user_id in part])
        last = holders[-1]
        pause()


def _tell_some(runtime: Runtime, item: Item, keys: Sequence[str]) -> None:
    counts = unread_counts(key.removeprefix("user:") for key in keys if key.startswith("user:"))
    events = []
    for key in keys:
        data: dict[str, Any] = {"ids": [item.id], "items": named([replace(item, audience=key)])}
        user_id = key.removeprefix("user:")
        if user_id in counts:
            data["unread"] = counts[user_id]
        events.append(Event("recalled", key, data))
    publish_all(runtime, events)
