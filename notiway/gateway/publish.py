"""The gateway's verb: publish envelopes, from HTTP or from a stream, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from notiway.gateway.envelope import Envelope
from notiway.live.limits.seen_ids import Key
from notiway.live.runtime import Runtime
from notiway.pausing import in_stretches
from notiway.store import inbox, spent_ids, writing
from notiway.store.database import db
from notiway.store.engine.retrying import in_transaction
from notiway.store.sql import has_one_writer
from notiway.store.writing import Notification
from notiway.values.audience import AudienceType
from notiway.values.errors import Fault
from notiway.values.item import Item
from notiway.verbs.events import created, publish, unread_counts
from notiway.verbs.once import First


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one envelope."""

    envelope: Envelope
    duplicate: bool
    notification_id: str | None = None
    warnings: tuple[Fault, ...] = ()


def publish_envelopes(runtime: Runtime, envelopes: Sequence[Envelope], *, may_be_untold: bool = False) -> list[Outcome]:
    """Store what is to be kept, then deliver; a duplicate is neither stored nor delivered again.

    An id is the publisher's own, and taken once, whether what it names was kept or not. With `may_be_untold` a process
    that took these before may have died between its commit and the Events: what it stored is delivered again.
    """
    claimed: list[Key] = []

    def take() -> list[tuple[Item, First | None]]:
        runtime.seen_ids.forget(claimed)  # by an attempt that failed
        claimed.clear()
        return _take_all(runtime, envelopes, claimed)

    try:
        taken = in_transaction(db, take)
    except BaseException:
        runtime.seen_ids.forget(claimed)  # a second try must not find them taken
        raise
    told = _stored_untold(envelopes, taken) if may_be_untold else []
    told += [(item, envelope.replaces) for envelope, (item, first) in zip(envelopes, taken, strict=True) if not first]
    db.after_commit(lambda: _ring(runtime, told))
    return [_outcome(envelope, item, first) for envelope, (item, first) in zip(envelopes, taken, strict=True)]


def _outcome(envelope: Envelope, item: Item, first: First | None) -> Outcome:
    if first is None:
        return Outcome(envelope, False, item.id, envelope.warnings)
    return Outcome(envelope, True, None, (*envelope.warnings, *first.differences(First.of(item))))


def _stored_untold(
    envelopes: Sequence[Envelope], taken: Sequence[tuple[Item, First | None]]
) -> list[tuple[Item, str | None]]:
    """The duplicates as they are stored, without those that their user has read or deleted, so must know."""
    again = [envelope for envelope, (_, first) in zip(envelopes, taken, strict=True) if first and envelope.persisted]
    found = {
        (publisher, key): row
        for publisher, keys in _ids_by_publisher(again).items()
        for key, row in writing.first_of(publisher, keys).items()
        if row.recalled_at is None
    }
    known = inbox.known_among([row.id for row in found.values()])
    known |= {item.id for item, first in taken if first is None}  # it is told anyway
    wanted = ((found.get((each.draft.publisher, each.id)), each.replaces) for each in again)
    untold = {row.id: (writing.item_of(row), replaces) for row, replaces in wanted if row and row.id not in known}
    return list(untold.values())  # each once, however often the batch has it


def _spent_before(envelopes: Sequence[Envelope]) -> dict[Key, First]:
    """What was stored under their ids, and has been removed since."""
    return {
        (publisher, key): First.of_spent(spent)
        for publisher, keys in _ids_by_publisher(envelopes).items()
        for key, spent in spent_ids.among(publisher, keys).items()
    }


def _stored_before(envelopes: Sequence[Envelope]) -> dict[Key, First]:
    """What is stored under the ids of those that are not to be kept; for the others the insert will tell."""
    unstored = [envelope for envelope in envelopes if not envelope.persisted]
    return {
        (publisher, key): First.of(writing.item_of(row))
        for publisher, keys in _ids_by_publisher(unstored).items()
        for key, row in writing.first_of(publisher, keys).items()
    }


def _ids_by_publisher(envelopes: Sequence[Envelope]) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for envelope in envelopes:
        ids.setdefault(envelope.draft.publisher, []).append(envelope.id)
    return ids


def _take_all(runtime: Runtime, envelopes: Sequence[Envelope], claimed: list[Key]) -> list[tuple[Item, First | None]]:
    """For each envelope its item, and what was sent under its id before, if anything."""
    before = _spent_before(envelopes) | _stored_before(envelopes)
    rows = [writing.row_of(each.draft, each.audience.key) for each in in_stretches(envelopes)]
    # Two batches that take the same ids in opposite orders would wait for each other. Ids are in the order given.
    order = list(range(len(rows)))
    if not has_one_writer():
        order.sort(key=lambda number: (envelopes[number].draft.publisher, envelopes[number].id))
    taken: dict[int, tuple[Item, First | None]] = {}
    for number in in_stretches(order):
        taken[number] = _take(runtime, envelopes[number], rows[number], before, claimed)
    return [taken[number] for number in range(len(rows))]


def _take(
    runtime: Runtime, envelope: Envelope, fresh: Notification, before: dict[Key, First], claimed: list[Key]
) -> tuple[Item, First | None]:
    draft, audience = envelope.draft, envelope.audience
    key = draft.publisher, envelope.id
    item = writing.item_of(fresh, persisted=envelope.persisted)
    first: First | None = runtime.seen_ids.get(key) or before.get(key)
    if first is not None:
        return item, first
    if not envelope.persisted:
        runtime.seen_ids.add(key, First.of(item))
        claimed.append(key)
        return item, None
    row, is_new = writing.insert(draft, audience.key, fresh.id)
    if not is_new:
        return item, First.of(writing.item_of(row))
    if audience.type is AudienceType.USER:
        writing.deliver_to([row.id], [audience.value])
    item = writing.item_of(row)
    before[key] = First.of(item)
    return item, None


def _ring(runtime: Runtime, told: Sequence[tuple[Item, str | None]]) -> None:
    direct = [item.audience for item, _ in told if item.persisted and item.audience.startswith("user:")]
    counts = unread_counts({audience.removeprefix("user:") for audience in direct})
    for item, replaces in in_stretches(told):
        unread = counts.get(item.audience.removeprefix("user:")) if item.persisted else None
        publish(runtime, created(item, unread=unread, replaces=replaces))
