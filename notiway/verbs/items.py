"""What users do with their own items: read, unread, seen, delete, restore. Every device of the user hears of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from notiway import signals
from notiway.live.runtime import Runtime, current
from notiway.store import inbox
from notiway.store.changes.counter import note_change
from notiway.store.changes.presses import Press
from notiway.store.database import db
from notiway.store.inbox import Name
from notiway.store.search.filters import Filters
from notiway.store.session.joining import stands_aside
from notiway.store.sql import in_batches
from notiway.values.event import Event
from notiway.values.ids import id_after, id_floor
from notiway.values.item import Item
from notiway.verbs.events import named, publish

RESTORED_AT_ONCE = 100  # items in one Event: each comes whole, and no frame may outgrow what a client's queue holds
MARKED_AT_ONCE = 200  # items of a filtered "mark all" in one transaction and one Event
SIGNALS = {"read": signals.read, "deleted": signals.deleted}  # by the kind of the Event
TOLD_SINGLY = 200  # items of a "mark all" in one Event, for devices that follow item by item


class Marked(NamedTuple):
    """What a press of "mark all as read" read, the unread count behind it, and what undoes it (verbs/changes)."""

    ids: list[str]
    unread: int
    press: Press | None


@stands_aside
def mark_read(user_id: str, ids: Sequence[str], press: int | None = None) -> int:
    """Mark items read; returns the unread count. `NotFound`, and nothing changed, if one is not the user's."""
    return change("read", user_id, ids, lambda user_id, ids: inbox.mark_read(user_id, ids, press))


@stands_aside
def mark_unread(user_id: str, ids: Sequence[str]) -> int:
    """Mark items unread; returns the unread count."""
    return change("unread", user_id, ids, inbox.mark_unread)


@stands_aside
def delete(user_id: str, ids: Sequence[str]) -> int:
    """Delete items from the user's inbox; `restore` undoes it. Returns the unread count."""
    return change("deleted", user_id, ids, inbox.delete)


@stands_aside
def mark_seen(user_id: str, ids: Sequence[str]) -> None:
    """Note that items were shown; no other device needs to know."""
    with db.atomic():
        inbox.mark_seen(user_id, ids)
        db.after_commit(lambda: signals.tell(signals.seen, user_id=user_id, ids=list(ids)))


@stands_aside
def restore(user_id: str, ids: Sequence[str]) -> int:
    """Undo `delete`; returns the unread count."""
    return bring_back(user_id, ids, inbox.restore)


def bring_back(user_id: str, ids: Sequence[str], put: Callable[[str, Sequence[str]], list[Item]]) -> int:
    """Put items into the list as `put` does, and tell of them; returns the unread count."""
    runtime = current()
    inbox.catch_up(user_id)
    with db.atomic():
        items = put(user_id, ids)
        unread = inbox.unread_count(user_id)
        db.after_commit(lambda: tell_restored(runtime, user_id, items, unread))
    return unread


@stands_aside
def mark_all_read(user_id: str, before: str | None = None) -> int:
    """Mark everything read up to the id `before`, so that what came later stays unread; returns the unread count."""
    return press_all(user_id, before).unread


def press_all(user_id: str, before: str | None = None) -> Marked:
    """The same, and what `verbs.changes.presses.undo` needs to undo it."""
    runtime = current()
    inbox.catch_up(user_id)
    with db.atomic():
        marked, number = inbox.mark_all_read(user_id, before)
        unread = inbox.unread_count(user_id)
        done = Marked([each.id for each in marked], unread, Press.of(number, [each.id for each in marked]))
        # Named also where all were meant: the Event may come behind that of a newer item.
        up_to = before or inbox.newest_id(user_id) or id_floor(0)
        db.after_commit(lambda: _tell_all_read(runtime, user_id, up_to, marked, done))
        if marked:
            db.after_commit(lambda: signals.tell(signals.read, user_id=user_id, ids=done.ids))
    return done


def press_some(user_id: str, ids: Sequence[str]) -> Marked:
    """Mark these read, so that it can be undone in the same way; `NotFound`, and nothing changed, as in `mark_read`."""
    inbox.catch_up(user_id)
    with db.atomic():
        number = note_change(user_id)
        unread = mark_read(user_id, ids, number)
    return Marked(list(ids), unread, Press.of(number, ids))


@stands_aside
def mark_matching_read(user_id: str, filters: Filters, up_to: str | None = None) -> Marked:
    """Mark read what passes the filters, up to the id `up_to`, and nothing else.

    Each part is a transaction of its own, and every item is told by its name: no device can know what a filter lets in.
    """
    inbox.catch_up(user_id)
    marked: list[str] = []
    below = None if up_to is None else id_after(up_to)
    number: int | None = None
    while True:
        with db.atomic():
            number = note_change(user_id) if number is None else number
            ids, below = inbox.unread_matching(user_id, filters, below, MARKED_AT_ONCE)
            unread = mark_read(user_id, ids, number) if ids else inbox.unread_count(user_id)
        marked += ids
        if below is None:
            return Marked(marked, unread, Press.of(number, marked))


def _tell_all_read(runtime: Runtime, user_id: str, before: str, marked: Sequence[Name], done: Marked) -> None:
    """One Event says it all; more follow for devices that know items one by one."""
    to = f"user:{user_id}"
    all_read: dict[str, Any] = {"before": before, "items": listed(marked[:TOLD_SINGLY]), "unread": done.unread}
    if done.press is not None:
        all_read["press"] = done.press.as_text()
    publish(runtime, Event("read_all", to, all_read))
    for part in in_batches(marked[TOLD_SINGLY:], TOLD_SINGLY):
        publish(runtime, Event("read_each", to, {"items": listed(part)}))


def listed(names: Sequence[Name]) -> list[dict[str, str]]:
    """Names as they travel in an Event."""
    return [name._asdict() for name in names]


def tell_restored(runtime: Runtime, user_id: str, items: Sequence[Item], unread: int, **more: Any) -> None:
    """Put these items on the user's open devices: they are in the inbox, and no news unless `more` says so."""
    for part in in_batches(items, RESTORED_AT_ONCE):
        notifications = [item.as_dict() for item in part]
        restored = {"notifications": notifications, "items": named(part), "unread": unread, **more}
        publish(runtime, Event("restored", f"user:{user_id}", restored))


def change(
    kind: str, user_id: str, ids: Sequence[str], work: Callable[[str, Sequence[str]], list[Item]], **more: Any
) -> int:
    """Change items in the store, and tell of it by an Event of this kind, with `more`; returns the unread count."""
    runtime = current()
    inbox.catch_up(user_id)
    with db.atomic():
        items = work(user_id, ids)
        unread = inbox.unread_count(user_id)
        changed = {"ids": [item.id for item in items], "items": named(items), "unread": unread, **more}
        db.after_commit(lambda: publish(runtime, Event(kind, f"user:{user_id}", changed)))
        if kind in SIGNALS and not more:  # lists lose what is archived or snoozed as they lose what is deleted
            db.after_commit(lambda: signals.tell(SIGNALS[kind], user_id=user_id, ids=changed["ids"]))
    return unread
