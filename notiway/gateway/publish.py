"""The gateway's verb: publish envelopes, from HTTP or from a stream, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from notiway.gateway.envelope import Envelope
from notiway.live.runtime import Runtime
from notiway.store import writing
from notiway.store.database import db
from notiway.values.audience import AudienceType
from notiway.values.item import Item
from notiway.verbs.events import created, publish, unread_counts


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one envelope."""

    envelope: Envelope
    duplicate: bool
    notification_id: str | None = None


def publish_envelopes(runtime: Runtime, envelopes: Sequence[Envelope]) -> list[Outcome]:
    """Store what is to be kept, then deliver; a duplicate is neither stored nor delivered again."""
    with db.atomic():
        stored = [_store(envelope) if envelope.persisted else None for envelope in envelopes]
    # Only now: had the transaction failed, a second try must not find the ids of unstored ones taken.
    taken = [
        _pass_on(runtime, envelope) if result is None else result
        for envelope, result in zip(envelopes, stored, strict=True)
    ]
    told = [(item, envelope.replaces) for envelope, (item, is_new) in zip(envelopes, taken, strict=True) if is_new]
    db.after_commit(lambda: _ring(runtime, told))
    return [
        Outcome(envelope, not is_new, item.id if is_new else None)
        for envelope, (item, is_new) in zip(envelopes, taken, strict=True)
    ]


def _store(envelope: Envelope) -> tuple[Item, bool]:
    row, is_new = writing.insert(envelope.draft, envelope.audience.key)
    if is_new and envelope.audience.type is AudienceType.USER:
        writing.deliver_to([row.id], [envelope.audience.value])
    return writing.item_of(row), is_new


def _pass_on(runtime: Runtime, envelope: Envelope) -> tuple[Item, bool]:
    item = writing.item_of(writing.row_of(envelope.draft, envelope.audience.key), persisted=False)
    return item, runtime.seen_ids.add((envelope.draft.producer, envelope.id))


def _ring(runtime: Runtime, told: Sequence[tuple[Item, str | None]]) -> None:
    direct = [item.audience for item, _ in told if item.persisted and item.audience.startswith("user:")]
    counts = unread_counts({audience.removeprefix("user:") for audience in direct})
    for item, replaces in told:
        unread = counts.get(item.audience.removeprefix("user:")) if item.persisted else None
        publish(runtime, created(item, unread=unread, replaces=replaces))
