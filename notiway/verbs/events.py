"""The Events that verbs publish, once their transaction is committed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from peewee import PeeweeException

from notiway import metrics
from notiway.live.runtime import Runtime
from notiway.store import inbox
from notiway.store.sql import in_batches
from notiway.values.event import Event
from notiway.values.item import Item

log = logging.getLogger(__name__)


def publish(runtime: Runtime, event: Event) -> None:
    """Hand an Event to the broker. A broker that is down loses no stored notification: reconnects reconcile."""
    stamped = replace(event, published_at=time.time())
    try:
        runtime.broker.publish(stamped)
    except Exception:
        # Whatever it is: what was to be told is stored, and the events behind this one are still to be published.
        metrics.PUBLISH_FAILURES.inc()
        log.exception("the broker did not take an event; clients will see it when they reconnect")
    else:
        metrics.EVENTS_PUBLISHED.labels(kind=event.kind).inc()


def created(item: Item, *, to: str | None = None, unread: int | None = None, replaces: str | None = None) -> Event:
    """The Event of a new notification: for its own audience, or as `to` sees it, with that user's new count.

    While it waits, it takes the place of an older one with the same key `replaces` and audience.
    """
    mine = item if to is None else replace(item, audience=to)
    data: dict[str, Any] = {"notification": mine.as_dict()}
    if unread is not None:
        data["unread"] = unread
    if replaces is not None:
        data["coalesce"] = replaces
    return Event("created", mine.audience, data)


def named(items: Iterable[Item]) -> list[dict[str, str]]:
    """What devices know items by, where they know them by the producer's id and the audience."""
    return [{"id": item.id, "public_id": item.public_id, "audience": item.audience} for item in items]


def unread_counts(user_ids: Iterable[str]) -> dict[str, int]:
    """Each user's unread count, for an Event; without a database none: the commit is done, heartbeats heal."""
    users = list(user_ids)
    found: dict[str, int] = {}
    try:
        for part in in_batches(users):
            found |= inbox.unread_counts(part)
    except PeeweeException:
        log.exception("unread counts could not be read after a commit; badges follow with the next heartbeat")
    return found
