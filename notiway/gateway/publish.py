"""The gateway's verb: publish envelopes, from HTTP or from a stream, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from notiway.gateway.envelope import Envelope
from notiway.live.runtime import Runtime
from notiway.store import writing as store
from notiway.store.database import db
from notiway.values.audience import AudienceType
from notiway.values.clock import now_ms
from notiway.values.event import Event
from notiway.values.ids import new_id
from notiway.values.item import Item
from notiway.verbs.send import counts_of, item_of, publish


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
    row, is_new = store.insert(envelope.draft, envelope.audience.key)
    if is_new and envelope.audience.type is AudienceType.USER:
        store.deliver_to([row.id], [envelope.audience.value])
    return item_of(row), is_new


def _pass_on(runtime: Runtime, envelope: Envelope) -> tuple[Item, bool]:
    draft = envelope.draft
    item = Item(
        id=new_id(),
        audience=envelope.audience.key,
        created_at=now_ms(),
        persisted=False,
        **draft.as_dict(),
    )
    return item, runtime.recent.add((draft.producer, envelope.id))


def _ring(runtime: Runtime, told: Sequence[tuple[Item, str | None]]) -> None:
    stored = [item.audience for item, _ in told if item.persisted and item.audience.startswith("user:")]
    counts = counts_of({audience.removeprefix("user:") for audience in stored})
    for item, replaces in told:
        data: dict[str, Any] = {"notification": item.as_dict()}
        if item.persisted and item.audience.startswith("user:"):
            data |= counts.get(item.audience.removeprefix("user:"), {})
        if replaces is not None:
            data["coalesce"] = replaces
        publish(runtime, Event("created", item.audience, data))
