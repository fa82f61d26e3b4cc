"""What users do with their own items: read, unread, seen, delete, restore. Every device of the user hears of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from notiway import signals
from notiway.live.runtime import Runtime, current
from notiway.store import inbox
from notiway.store.database import db
from notiway.store.inbox import Name
from notiway.store.search.filters import Filters
from notiway.store.sql import in_batches
from notiway.values.event import Event
from notiway.values.ids import id_after, id_floor
from notiway.values.item import Item
from notiway.verbs.events import named, publish

RESTORED_AT_ONCE = 100  # items in one Event: each comes whole, and no frame may outgrow what a client's queue holds
MARKED_AT_ONCE = 200  # items of a filtered "mark all" in one transaction and one Event
SIGNALS = {"read": signals.read, "deleted": signals.deleted}  # by the kind of the Event
TOLD_SINGLY = 200  # items of a "mark all" in one Event, for devices that follow item by item


def mark_read(user_id: str, ids: Sequence[str]) -> int:
    """Mark items read; returns the unread count. `NotFound`, and nothing changed, if one is not the user's."""
    return _change("read", user_id, ids, inbox.mark_read)


def mark_unread(user_id: str, ids: Sequence[str]) -> int:
    """Mark items unread; returns the unread count."""
    return _change("unread", user_id, ids, inbox.mark_unread)


def delete(user_id: str, ids: Sequence[str]) -> int:
    """Delete items from the user's inbox; `restore` undoes it. Returns the unread count."""
    return _change("deleted", user_id, ids, inbox.delete)


def mark_seen(user_id: str, ids: Sequence[str]) -> None:
    """Note that items were shown; no other device needs to know."""
    with db.atomic():
        inbox.mark_seen(user_id, ids)
        db.after_commit(lambda: signals.tell(signals.seen, user_id=user_id, ids=list(ids)))


def restore(user_id: str, ids: Sequence[str]) -> int:
    """Undo `delete`; returns the unread count."""
    runtime = current()
    inbox.catch_up(user_id)
    with db.atomic():
        items = inbox.restore(user_id, ids)
        unread = inbox.unread_count(user_id)
        db.after_commit(lambda: tell_restored(runtime, user_id, items, unread))
    return unread


def mark_all_read(user_id: str, before: str | None = None) -> int:
    """Mark everything read up to the id `before`, so that what came later stays unread; returns the unread count."""
    runtime = current()
    inbox.catch_up(user_id)
    with db.atomic():
        marked = inbox.mark_all_read(user_id, before)
        unread = inbox.unread_count(user_id)
        # Named also where all were meant: the Event may come behind that of a newer item.
        up_to = before or inbox.newest_id(user_id) or id_floor(0)
        db.after_commit(lambda: _tell_all_read(runtime, user_id, up_to, marked, unread))
        if marked:
            db.after_commit(lambda: signals.tell(signals.read, user_id=user_id, ids=[name.id for name in marked]))
    return unread


def mark_matching_read(user_id: str, filters: Filters, up_to: str | None = None) -> tuple[list[str], int]:
    """Mark read what passes the filters, up to the id `up_to`, and nothing else; the ids, and the unread count.

    Each part is a transaction of its own, and every item is told by its name: no device can know what a filter lets in.
    """
    inbox.catch_up(user_id)
    marked: list[str] = []
    below = None if up_to is None else id_after(up_to)
    while True:
        with db.atomic():
            ids, below = inbox.unread_matching(user_id, filters, below, MARKED_AT_ONCE)
            unread = mark_read(user_id, ids) if ids else inbox.unread_count(user_id)
        marked += ids
        if below is None:
            return marked, unread


def _tell_all_read(runtime: Runtime, user_id: str, before: str, marked: Sequence[Name], unread: int) -> None:
    """One Event says it all; more follow for devices that know items one by one."""
    to = f"user:{user_id}"
    all_read = {"before": before, "items": _listed(marked[:TOLD_SINGLY]), "unread": unread}
    publish(runtime, Event("read_all", to, all_read))
    for part in in_batches(marked[TOLD_SINGLY:], TOLD_SINGLY):
        publish(runtime, Event("read_each", to, {"items": _listed(part)}))


def _listed(names: Sequence[Name]) -> list[dict[str, str]]:
    return [name._asdict() for name in names]


def tell_restored(runtime: Runtime, user_id: str, items: Sequence[Item], unread: int) -> None:
    """Put these items on the user's open devices: they are in the inbox, and no news."""
    for part in in_batches(items, RESTORED_AT_ONCE):
        notifications = [item.as_dict() for item in part]
        restored = {"notifications": notifications, "items": named(part), "unread": unread}
        publish(runtime, Event("restored", f"user:{user_id}", restored))


def _change(kind: str, user_id: str, ids: Sequence[str], change: Callable[[str, Sequence[str]], list[Item]]) -> int:
    runtime = current()
    inbox.catch_up(user_id)
    with db.atomic():
        items = change(user_id, ids)
        unread = inbox.unread_count(user_id)
        changed = {"ids": [item.id for item in items], "items": named(items), "unread": unread}
        db.after_commit(lambda: publish(runtime, Event(kind, f"user:{user_id}", changed)))
        if kind in SIGNALS:
            db.after_commit(lambda: signals.tell(SIGNALS[kind], user_id=user_id, ids=changed["ids"]))
    return unread
