"""The verbs. Each writes in one transaction, then publishes what happened, and reads top to bottom."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from peewee import PeeweeException

from notiway import metrics
from notiway.live.runtime import Runtime, current
from notiway.store import audit, inbox
from notiway.store import writing as store
from notiway.store.database import db
from notiway.store.rows import SEVERAL
from notiway.store.tables import Notification
from notiway.values.clock import now_ms
from notiway.values.close_codes import CloseCode
from notiway.values.draft import Draft, replaces_faults
from notiway.values.errors import Fault, NotFound
from notiway.values.event import Event
from notiway.values.ids import new_id
from notiway.values.item import Item
from notiway.verbs import recipients

log = logging.getLogger(__name__)

TOLD_SINGLY = 200  # items of a "mark all" that are told one by one, for devices that follow item by item
USERS_PER_COUNT = 500  # users whose unread counts one query tells


def send_notification(
    to: Any,
    title: str,
    message: str = "",
    *,
    type: str = "info",
    name: str = "notification",
    priority: str = "medium",
    action_url: str | None = None,
    group_key: str | None = None,
    source: str | None = None,
    actor: str | None = None,
    body: Mapping[str, Any] | None = None,
    persist: bool = True,
    expires_at: datetime | None = None,
    dedupe_key: str | None = None,
    replaces: str | None = None,
) -> Notification:
    """Send a notification: store it, and ring the bell of everyone it is for, at once.

    >>> send_notification(user.id, "Invoice paid", "John paid $500", type="success")  # doctest: +SKIP
    >>> send_notification(Audience.group("admins"), "Disk 90 % full", type="warning")  # doctest: +SKIP

    `to` is a user id, an object with `id` or `get_id()`, an iterable of these, or an `Audience`.
    `type` is info, success, warning or error; `priority` urgent, high, medium or low. `title` has 1 to 200
    characters, `message` up to 2,000, `body` up to 32 KiB as JSON. `action_url` is an https: or http: address
    or a path on this site. `expires_at` is an aware datetime (a naive one is taken as UTC). A second call with the
    same `dedupe_key` stores and sends nothing and returns the first notification. With `persist=False` it reaches
    who is connected and is stored nowhere; `replaces="import:42"` then takes the place of an older one with the same
    key and audience that still waits: the newest goes out, ten times a second at most.

    Inside a transaction it rings after the outermost commit, never if that rolls back. `InvalidNotification`
    names every fault; then nothing is stored and nothing is sent.
    """
    runtime = current()
    faults: list[Fault] = []
    audience, user_ids = recipients.of(to, runtime.unknown_users, faults)
    draft = Draft(
        title=title,
        message=message,
        type=type,
        name=name,
        priority=priority,
        action_url=action_url,
        group_key=group_key,
        source=source,
        actor=actor,
        body=body,
        expires_at=recipients.milliseconds(expires_at, faults),
        dedupe_key=dedupe_key,
    )
    if persist and audience.startswith("connection:"):
        faults.append(Fault("persist", "must be False for a connection, which is gone tomorrow"))
    draft.check(now_ms(), faults + replaces_faults(replaces, persist))
    draft = draft.detached()
    if not persist:
        return _send_unstored(runtime, draft, audience, user_ids, replaces)
    with db.atomic():
        row, is_new = store.insert(draft, audience)
        if is_new:
            store.deliver_to([row.id], user_ids)
            item = item_of(row)
            db.after_commit(lambda: _ring(runtime, item, user_ids))
    return row


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


def restore(user_id: str, ids: Sequence[str]) -> int:
    """Undo `delete`; returns the unread count."""
    runtime = current()
    with db.atomic():
        items = inbox.restore(user_id, ids)
        unread = inbox.unread_count(user_id)
        notifications = [item.as_dict() for item in items]
        restored = {"notifications": notifications, "items": _names(items), "unread": unread}
        db.after_commit(lambda: publish(runtime, Event("restored", f"user:{user_id}", restored)))
    return unread


def mark_all_read(user_id: str, before: str | None = None) -> int:
    """Mark everything read up to the id `before`, so that what came later stays unread; returns the unread count."""
    runtime = current()
    inbox.catch_up(user_id)
    with db.atomic():
        items = inbox.unread_up_to(user_id, before, TOLD_SINGLY)
        inbox.mark_all_read(user_id, before)
        unread = inbox.unread_count(user_id)
        changed = {"before": before, "items": _names(items), "unread": unread}
        db.after_commit(lambda: publish(runtime, Event("read_all", f"user:{user_id}", changed)))
    return unread


def recall(notification_id: str, *, by: str) -> bool:
    """Take a notification back from everybody: it vanishes from every list, count and banner at once.

    `by` is the user who does it, for the audit log. False, and nothing happened, if it was recalled before;
    `NotFound` if there is none of that id.
    """
    runtime = current()
    with db.atomic():
        row = Notification.get_or_none(Notification.id == notification_id)
        if row is None:
            raise NotFound("There is no such notification")
        fresh = (Notification.id == notification_id) & Notification.recalled_at.is_null()
        if not Notification.update(recalled_at=now_ms()).where(fresh).execute():
            return False
        audit.record(by, "recall", row.audience, notification_id=row.id, details={"title": row.title})
        holders = store.holders(row.id) if row.audience == SEVERAL else [row.audience]
        db.after_commit(lambda: _tell_recall(runtime, item_of(row), holders))
    return True


def sign_out(user_id: str, session: str | None = None) -> None:
    """Close the sockets of one login session in every tab, or of all the user's sessions, in every process."""
    data = {"session": session, "code": int(CloseCode.SIGNED_OUT)}
    publish(current(), Event("kick", f"user:{user_id}", data))


def publish(runtime: Runtime, event: Event) -> None:
    """Hand an Event to the broker. A broker that is down loses no stored notification: reconnects reconcile."""
    stamped = Event(event.kind, event.audience, event.data, time.time())
    try:
        runtime.broker.publish(stamped)
    except Exception:
        # Whatever it is: what was to be told is stored, and the events behind this one are still to be published.
        metrics.PUBLISH_FAILURES.inc()
        log.exception("the broker did not take an event; clients will see it when they reconnect")
    else:
        metrics.EVENTS_PUBLISHED.labels(kind=event.kind).inc()


def _change(kind: str, user_id: str, ids: Sequence[str], change: Any) -> int:
    runtime = current()
    inbox.catch_up(user_id)
    with db.atomic():
        items = change(user_id, ids)
        unread = inbox.unread_count(user_id)
        changed = {"ids": [item.id for item in items], "items": _names(items), "unread": unread}
        db.after_commit(lambda: publish(runtime, Event(kind, f"user:{user_id}", changed)))
    return unread


def _names(items: Iterable[Item]) -> list[dict[str, str]]:
    """What devices know items by, where they know them by the producer's id and the audience."""
    return [{"id": item.id, "public_id": item.public_id, "audience": item.audience} for item in items]


def _tell_recall(runtime: Runtime, item: Item, holders: Sequence[str]) -> None:
    """Named users get their new count; after a broadcast each process corrects those who are connected to it."""
    counts = counts_of(key.removeprefix("user:") for key in holders if key.startswith("user:"))
    for key in holders:
        data = {"ids": [item.id], "items": _names([replace(item, audience=key)])}
        publish(runtime, Event("recalled", key, data | counts.get(key.removeprefix("user:"), {})))


def _ring(runtime: Runtime, item: Item, user_ids: Sequence[str]) -> None:
    if not user_ids:
        publish(runtime, Event("created", item.audience, {"notification": item.as_dict()}))
    counts = counts_of(user_ids)
    for user_id in user_ids:
        mine = replace(item, audience=f"user:{user_id}")
        publish(runtime, Event("created", mine.audience, {"notification": mine.as_dict(), **counts.get(user_id, {})}))


def counts_of(user_ids: Iterable[str]) -> dict[str, dict[str, int]]:
    """Each user's unread count as Events carry it; without a database none: the commit is done, heartbeats heal."""
    users = list(user_ids)
    found: dict[str, int] = {}
    try:
        for start in range(0, len(users), USERS_PER_COUNT):
            found |= inbox.unread_counts(users[start : start + USERS_PER_COUNT])
    except PeeweeException:
        log.exception("unread counts could not be read after a commit; badges follow with the next heartbeat")
    return {user_id: {"unread": unread} for user_id, unread in found.items()}


def _send_unstored(
    runtime: Runtime, draft: Draft, audience: str, user_ids: Sequence[str], replaces: str | None
) -> Notification:
    row = Notification(id=new_id(), audience=audience, created_at=now_ms(), **draft.as_dict())
    item = item_of(row, persisted=False)
    more = {} if replaces is None else {"coalesce": replaces}
    audiences = [f"user:{user_id}" for user_id in user_ids] or [audience]

    def ring() -> None:
        # Nothing is stored that could tell a second call, so this process remembers the key for a while.
        if draft.dedupe_key is None or runtime.recent.add((draft.producer, draft.dedupe_key)):
            for to in audiences:
                mine = replace(item, audience=to)
                publish(runtime, Event("created", to, {"notification": mine.as_dict(), **more}))

    db.after_commit(ring)
    return row


def item_of(row: Notification, persisted: bool = True) -> Item:
    """A notification as it is before anybody has seen it."""
    values = {key: value for key, value in row.__data__.items() if key != "recalled_at"}
    return Item(**values, persisted=persisted)
