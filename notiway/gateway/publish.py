"""The gateway's verb: publish envelopes, from HTTP or from a stream, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from notiway import signals
from notiway.gateway.envelope import Envelope
from notiway.live.limits.seen_ids import Key
from notiway.live.runtime import Runtime
from notiway.pausing import in_stretches
from notiway.store import batches, inbox, spent_ids, writing
from notiway.store.batches import Entry
from notiway.store.database import db
from notiway.store.engine.retrying import in_transaction
from notiway.values.audience import Audience
from notiway.values.clock import now_ms
from notiway.values.errors import BrokerDown, Fault, NotiwayError
from notiway.values.ids import new_id
from notiway.values.item import Item
from notiway.verbs.events import created, positions_of, publish_all, unread_counts
from notiway.verbs.once import First
from notiway.verbs.send import tell_sent


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one envelope."""

    envelope: Envelope
    duplicate: bool
    notification_id: str | None = None
    warnings: tuple[Fault, ...] = ()
    fault: NotiwayError | None = None  # it is stored nowhere, and was told to nobody


@dataclass(slots=True)
class _Taken:
    """What one envelope got: an id and a moment, or what was sent under its own id before."""

    id: str
    created_at: int
    first: First | None = None


def publish_envelopes(runtime: Runtime, envelopes: Sequence[Envelope], *, may_be_untold: bool = False) -> list[Outcome]:
    """Store what is to be kept, then deliver; a duplicate is neither stored nor delivered again.

    An id is the publisher's own, and taken once, whether what it names was kept or not. With `may_be_untold` a process
    that took these before may have died between its commit and the Events: what it stored is delivered again.
    While the broker is away, what is to be kept is, and is told later; the others are not taken.
    """
    is_told = True
    claimed: list[Key] = []

    # Asked before the transaction, which must not wait for another server.
    seen = runtime.seen_ids.among((each.draft.publisher, each.id) for each in envelopes)
    before = {key: First.read(text) for key, text in seen.items()}

    def take() -> list[_Taken]:
        runtime.seen_ids.forget(claimed)  # by an attempt that failed
        claimed.clear()
        return _take_all(runtime, envelopes, before, claimed)

    try:
        taken = in_transaction(db, take)
    except BaseException:
        runtime.seen_ids.forget(claimed)  # a second try must not find them taken
        raise
    again = _stored_untold(envelopes, taken) if may_be_untold else []

    def ring() -> None:
        nonlocal is_told
        is_told = _ring(runtime, again, envelopes, taken)
        if is_told and signals.sent.receivers:
            _tell_sent(envelopes, taken)

    db.after_commit(ring)
    if not is_told:
        runtime.seen_ids.forget(claimed)
    return [_outcome(envelope, each, is_told) for envelope, each in zip(envelopes, taken, strict=True)]


def _tell_sent(envelopes: Sequence[Envelope], taken: Sequence[_Taken]) -> None:
    for envelope, each in zip(in_stretches(envelopes), taken, strict=True):
        if each.first is None:
            to = envelope.audience
            tell_sent(_item(envelope, each), [to.value] if to.type.name == "USER" else [])


def _outcome(envelope: Envelope, taken: _Taken, is_told: bool) -> Outcome:
    if taken.first is None:
        if not (is_told or envelope.persisted):
            fault = BrokerDown("it cannot be told, and is not to be kept")
            return Outcome(envelope, False, fault=fault)
        return Outcome(envelope, False, taken.id, envelope.warnings)
    differences = taken.first.differences(First.of(_item(envelope, taken)))
    return Outcome(envelope, True, None, (*envelope.warnings, *differences))


def _item(envelope: Envelope, taken: _Taken) -> Item:
    """What is told of an envelope, as it is before anybody has seen it."""
    draft = envelope.draft
    return Item(
        id=taken.id,
        audience=envelope.audience.key,
        name=draft.name,
        type=draft.type,
        priority=draft.priority,
        title=draft.title,
        message=draft.message,
        created_at=taken.created_at,
        body=cast("dict[str, Any] | None", draft.body),
        action_url=draft.action_url,
        group_key=draft.group_key,
        source=draft.source,
        actor=draft.actor,
        producer=draft.producer,
        expires_at=draft.expires_at,
        persisted=envelope.persisted,
        dedupe_key=draft.dedupe_key,
        sent_at=draft.sent_at,
        details=cast("dict[str, Any] | None", draft.details),
    )


def _stored_untold(envelopes: Sequence[Envelope], taken: Sequence[_Taken]) -> list[tuple[Item, str | None]]:
    """The duplicates as they are stored, without those that their user has read or deleted, so must know."""
    again = [envelope for envelope, each in zip(envelopes, taken, strict=True) if each.first and envelope.persisted]
    found = {
        (publisher, key): row
        for publisher, keys in _ids_by_publisher(again).items()
        for key, row in writing.first_of(publisher, keys).items()
        if row.recalled_at is None
    }
    known = inbox.known_among([row.id for row in found.values()])
    known |= {each.id for each in taken if each.first is None}  # it is told anyway
    wanted = ((found.get((each.draft.publisher, each.id)), each.replaces) for each in again)
    untold = {row.id: (writing.item_of(row), replaces) for row, replaces in wanted if row and row.id not in known}
    return list(untold.values())  # each once, however often the batch has it


def _firsts(envelopes: Sequence[Envelope]) -> dict[Key, First]:
    """What was stored under their ids before, whether it is still there or not."""
    found: dict[Key, First] = {}
    for publisher, ids in _ids_by_publisher(envelopes).items():
        taken = list(batches.taken(publisher, ids))
        for key, spent in spent_ids.among(publisher, taken).items():
            found[publisher, key] = First.of_spent(spent)
        for key, row in writing.first_of(publisher, taken).items():
            found[publisher, key] = First.of(writing.item_of(row))
    return found


def _ids_by_publisher(envelopes: Sequence[Envelope]) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for envelope in envelopes:
        ids.setdefault(envelope.draft.publisher, []).append(envelope.id)
    return ids


def _take_all(
    runtime: Runtime, envelopes: Sequence[Envelope], seen: Mapping[Key, First], claimed: list[Key]
) -> list[_Taken]:
    """For each envelope its id, or what was sent under its own before."""
    created_at = now_ms()
    result = [_Taken("", created_at) for _ in envelopes]
    keys = [(each.draft.publisher, each.id) for each in envelopes]
    before = dict(seen) | _firsts([each for each in envelopes if not each.persisted])
    fresh: dict[Key, int] = {}  # the first envelope of each id that is not known yet
    for number, key in enumerate(keys):
        if key not in before:
            fresh.setdefault(key, number)
    kept = [number for number in fresh.values() if envelopes[number].persisted]
    entries = [Entry(each.draft, each.audience, each.body_text) for each in map(envelopes.__getitem__, kept)]
    for number, notification_id in zip(kept, batches.insert(entries, created_at), strict=True):
        result[number].id = notification_id or ""
    before |= _firsts([envelopes[number] for number in kept if not result[number].id])
    said = {}
    for key, number in ((key, number) for key, number in fresh.items() if not envelopes[number].persisted):
        result[number].id = new_id()
        said[key] = First.of(_item(envelopes[number], result[number])).to_text()
    taken = runtime.seen_ids.add_all(said)  # by another thread or process, a moment ago
    claimed += said.keys() - taken.keys()
    before |= {key: First.read(text) for key, text in taken.items()}
    for number, key in enumerate(keys if before or len(fresh) < len(envelopes) else ()):
        result[number].first = before.get(key)
        if key not in before and fresh[key] != number:
            result[number].first = First.of(_item(envelopes[fresh[key]], result[fresh[key]]))
    return result


def _ring(
    runtime: Runtime,
    again: Sequence[tuple[Item, str | None]],
    envelopes: Sequence[Envelope],
    taken: Sequence[_Taken],
) -> bool:
    """Tell whoever may hear it; everybody else reads in the database what was stored. Whether that can be told."""
    told = [(item, replaces) for item, replaces in again if runtime.is_heard(item.audience)]
    heard: dict[Audience, bool] = {}
    for envelope, each in zip(in_stretches(envelopes), taken, strict=True):
        if each.first is None:
            is_heard = heard.get(envelope.audience)
            if is_heard is None:
                is_heard = heard[envelope.audience] = runtime.is_heard(envelope.audience.key)
            if is_heard:
                told.append((_item(envelope, each), envelope.replaces))
    direct = [item.audience for item, _ in told if item.persisted and item.audience.startswith("user:")]
    counts = unread_counts({audience.removeprefix("user:") for audience in direct})
    places = positions_of([item.id for item, _ in told if item.persisted and not item.audience.startswith("user:")])
    events = []
    for item, replaces in in_stretches(told):
        unread = counts.get(item.audience.removeprefix("user:")) if item.persisted else None
        events.append(created(item, unread=unread, position=places.get(item.id), replaces=replaces))
    return publish_all(runtime, events)
