"""Sending: one call stores a notification and rings the bell of everyone it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from notiway import signals
from notiway.live.runtime import Runtime, current
from notiway.store import spent_ids, writing
from notiway.store.database import db
from notiway.store.engine.retrying import in_transaction
from notiway.store.session.joining import joins, waits
from notiway.store.sql import in_batches
from notiway.store.writing import Notification
from notiway.values.clock import now_ms
from notiway.values.draft import Draft, replaces_faults
from notiway.values.errors import Fault
from notiway.values.ids import new_id
from notiway.values.item import Item
from notiway.values.kinds.action import Action
from notiway.values.kinds.actor import Actor
from notiway.values.kinds.details import actor_name, answered_faults
from notiway.verbs import recipients
from notiway.verbs.events import created, heard_of, positions_of, publish, publish_all, unread_counts
from notiway.verbs.once import First

TOLD_AT_ONCE = 50  # users: an Event for each, with the notification in it, takes some milliseconds


@joins
def send_notification(
    to: Any,
    title: str,
    message: str = "",
    *,
    type: str = "info",
    name: str = "notification",
    priority: str | None = None,
    action_url: str | None = None,
    group_key: str | None = None,
    source: str | None = None,
    actor: str | Actor | None = None,
    icon: str | None = None,
    category: str | None = None,
    image: str | None = None,
    actions: Sequence[Action] = (),
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
    or a path on this site. `name` is the name of its kind, which says what `priority`, `icon` and `category` are where
    they are left out. `actor` is a name, or an `Actor` with a picture; `image` the address of a picture; `actions` up
    to 5 buttons (`Action`). `expires_at` is an aware datetime (a naive one is taken as UTC). A second call with the
    same `dedupe_key` stores and sends nothing and returns the first notification. With `persist=False` it reaches
    who is connected and is stored nowhere; `replaces="import:42"` then takes the place of an older one with the same
    key and audience that still waits: the newest goes out, ten times a second at most.

    Inside a transaction, also that of a SQLAlchemy session that Notiway was given, it rings after the outermost
    commit, never if that rolls back. `InvalidNotification` names every fault; then nothing is stored or sent.
    """
    runtime = current()
    faults: list[Fault] = []
    audience, user_ids = recipients.of(to, runtime.unknown_users, faults)
    given = {"icon": icon, "category": category, "image": image, "actor": actor, "actions": actions}
    details = runtime.kinds.details_of(name, given)
    faults += runtime.kinds.answer_faults(name, details) + answered_faults(details, persist)
    draft = Draft(
        title=title,
        message=message,
        type=type,
        name=name,
        priority=runtime.kinds.priority_of(name) if priority is None else priority,
        action_url=action_url,
        group_key=group_key,
        source=source,
        actor=actor_name(actor),
        body=body,
        expires_at=recipients.milliseconds(expires_at, faults),
        dedupe_key=dedupe_key,
        details=details,
    )
    if persist and audience.startswith("connection:"):
        faults.append(Fault("persist", "must be False for a connection, which does not last"))
    draft.check(now_ms(), faults + replaces_faults(replaces, persist))
    draft = draft.detached()

    def send() -> Notification:
        if not persist:
            return _send_unstored(runtime, draft, audience, user_ids, replaces)
        return in_transaction(db, lambda: _store(runtime, draft, audience, user_ids))

    promised = writing.row_of(draft, audience)
    said = {"notification": writing.item_of(promised, persist), "user_ids": list(user_ids)}

    def send_late() -> None:
        promised.__data__.update(send().__data__)
        signals.tell(signals.promised, **said, is_kept=True)

    if waits(send_late):
        signals.tell(signals.promised, **said)
        return promised
    return send()


def _store(runtime: Runtime, draft: Draft, audience: str, user_ids: Sequence[str]) -> Notification:
    if draft.dedupe_key is not None and (gone := _sent_and_gone(runtime, draft, draft.dedupe_key)) is not None:
        return writing.row_of(draft, audience, gone)
    row, is_new = writing.insert(draft, audience)
    if is_new:
        writing.deliver_to([row.id], user_ids)
        item = writing.item_of(row)
        signals.tell(signals.promised, notification=item, user_ids=list(user_ids))
        db.after_commit(lambda: _ring(runtime, item, user_ids, row.position))
        db.after_commit(lambda: tell_sent(item, user_ids))
    return row


def _sent_and_gone(runtime: Runtime, draft: Draft, dedupe_key: str) -> str | None:
    """The id of what was sent under this key and is stored no more, or never was; None if there is none."""
    spent = spent_ids.among(draft.publisher, [dedupe_key])
    if spent:
        return spent[dedupe_key].notification_id
    return new_id() if runtime.seen_ids.get((draft.publisher, dedupe_key)) is not None else None


def _ring(runtime: Runtime, item: Item, user_ids: Sequence[str], position: Any) -> None:
    if not user_ids:
        publish(runtime, created(item, position=position or positions_of([item.id]).get(item.id)))
    for part in in_batches(heard_of(runtime, user_ids), TOLD_AT_ONCE):
        counts = unread_counts(part)
        publish_all(runtime, [created(item, to=f"user:{user_id}", unread=counts.get(user_id)) for user_id in part])


def _send_unstored(
    runtime: Runtime, draft: Draft, audience: str, user_ids: Sequence[str], replaces: str | None
) -> Notification:
    if draft.dedupe_key is not None:
        kept = writing.first_of(draft.publisher, [draft.dedupe_key])
        if kept:
            return kept[draft.dedupe_key]
        if (gone := _sent_and_gone(runtime, draft, draft.dedupe_key)) is not None:
            return writing.row_of(draft, audience, gone)
    row = writing.row_of(draft, audience)
    item = writing.item_of(row, persisted=False)
    audiences = [f"user:{user_id}" for user_id in heard_of(runtime, user_ids)] if user_ids else [audience]

    def ring() -> None:
        # Nothing is stored that could tell a second call, so the key is remembered for a while.
        key, said = draft.dedupe_key, First.of(item).to_text
        if key is None or runtime.seen_ids.add((draft.publisher, key), said()):
            for part in in_batches(audiences, TOLD_AT_ONCE):
                publish_all(runtime, [created(item, to=key, replaces=replaces) for key in part])
            tell_sent(item, user_ids)

    signals.tell(signals.promised, notification=item, user_ids=list(user_ids))
    db.after_commit(ring)
    return row


def tell_sent(item: Item, user_ids: Sequence[str]) -> None:
    """Tell the application's own receivers what was sent; `user_ids` are those who were named, none for a broadcast."""
    signals.tell(
        signals.sent,
        notification=item,
        audience=item.audience,
        user_ids=list(user_ids),
        persisted=item.persisted,
    )
