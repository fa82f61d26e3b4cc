"""The Events that verbs publish, once their transaction is committed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from peewee import PeeweeException

from notiway import metrics
from notiway.live.runtime import Runtime
from notiway.pausing import in_stretches
from notiway.store import inbox
from notiway.store.log import positions
from notiway.store.sql import in_batches
from notiway.values.count import Count, as_of
from notiway.values.errors import BrokerDown
from notiway.values.event import Event
from notiway.values.item import Item

log = logging.getLogger(__name__)

_untold: ContextVar[tuple[list[Event], bool] | None] = ContextVar("notiway_untold", default=None)
MANY = 500  # users: from so many on only those who are connected are told


@contextmanager
def noting_untold(*, silent: bool = False) -> Iterator[list[Event]]:
    """Inside, the Events that the broker does not take are noted, for whoever can tell them later.

    The first that it does not take is the last that is tried: each of the others would be waited for as long. With
    `silent` none is tried.
    """
    untold: list[Event] = []
    token = _untold.set((untold, silent))
    try:
        yield untold
    finally:
        _untold.reset(token)


def publish(runtime: Runtime, event: Event) -> bool:
    """Hand an Event to the broker; whether it will be told. See `publish_all`."""
    return publish_all(runtime, (event,))


def publish_all(runtime: Runtime, events: Sequence[Event]) -> bool:
    """Hand over several at once; False if what is stored nowhere will not be told.

    What was committed is told later where the broker does not take it: that never fails for those who sent it. Where it
    took some of several, all are told again: a client drops what it has.
    """
    if not events:
        return True
    noted = _untold.get()
    if noted is not None and (noted[0] or noted[1]):
        noted[0].extend(events)
        return True
    now = time.time()
    stamped = [_stamped(event, now) for event in events]
    try:
        runtime.broker.publish(stamped)
    except Exception as error:
        # Whatever it is: what was to be told is stored, and the events behind these are still to be published.
        metrics.PUBLISH_FAILURES.inc(len(events))
        if isinstance(error, BrokerDown):
            log.debug("%d events are told later: %s", len(events), error.reason)  # the broker's reader has told it
        else:
            log.exception("the broker did not take %d events; clients will see them when they reconnect", len(events))
        if noted is not None:
            noted[0].extend(events)
            return True
        runtime.broker.tell_later([event for event in stamped if not _is_passing(event)])
        return not any(map(_is_passing, events))
    for event in events:
        metrics.EVENTS_PUBLISHED.labels(kind=event.kind).inc()
    return True


def _is_passing(event: Event) -> bool:
    """Whether an Event tells something that is stored nowhere, and old news in a moment."""
    return event.kind == "created" and not event.data["notification"].get("persisted")


def _stamped(event: Event, now: float) -> Event:
    return Event(event.kind, event.audience, event.data, now)  # `replace` costs eight times as much


def created(
    item: Item,
    *,
    to: str | None = None,
    unread: int | None = None,
    position: int | None = None,
    replaces: str | None = None,
) -> Event:
    """The Event of a new notification: for its own audience, or as `to` sees it, with that user's new count.

    A stored broadcast has a position in the log: from it follows whether a count includes it. While it waits, it takes
    the place of an older one with the same key `replaces` and audience.
    """
    values = item.as_dict()
    if to is not None:
        values["audience"] = to
    data: dict[str, Any] = {"notification": values}
    if unread is not None:
        data["unread"] = unread
        if (counted_to := as_of(unread)) is not None:
            data["as_of"] = counted_to
    if position is not None:
        data["position"] = position
    if replaces is not None:
        data["coalesce"] = replaces
    return Event("created", values["audience"], data)


def heard_of(runtime: Runtime, user_ids: Sequence[str]) -> Sequence[str]:
    """Of many users those who may be connected; of a few all.

    Whoever is not connected reads it in the database, and an Event for each of a hundred thousand would keep the hub
    busy for nobody.
    """
    if len(user_ids) < MANY:
        return user_ids
    audiences = [f"user:{user_id}" for user_id in in_stretches(user_ids)]
    try:
        heard = set(runtime.heard_among(audiences))
    except BrokerDown as error:
        log.debug("nobody is told now: %s", error.reason)
        runtime.broker.tell_gap(audiences)
        return []
    return [user_id for user_id in in_stretches(user_ids) if f"user:{user_id}" in heard]


def named(items: Iterable[Item]) -> list[dict[str, str]]:
    """What devices know items by, where they know them by the producer's id and the audience."""
    return [{"id": item.id, "public_id": item.public_id, "audience": item.audience} for item in items]


def positions_of(ids: Sequence[str]) -> dict[str, int]:
    """Where stored notifications stand in the log, for their Events; without a database none."""
    try:
        return positions.of(ids)
    except PeeweeException:
        log.exception("positions could not be read after a commit; counts are read again for everybody who hears of it")
        return {}


def unread_counts(user_ids: Iterable[str]) -> dict[str, Count]:
    """Each user's unread count, for an Event; without a database none: the commit is done, heartbeats heal."""
    users = list(user_ids)
    found: dict[str, Count] = {}
    try:
        for part in in_batches(users):
            found |= inbox.unread_counts(part)
    except PeeweeException:
        log.exception("unread counts could not be read after a commit; badges follow with the next heartbeat")
    return found
