"""The gateway's verb: publish envelopes, from HTTP or from a stream, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from notiway import inbox, store
from notiway.audience import AudienceType
from notiway.database import db
from notiway.envelope import Envelope
from notiway.event import Event
from notiway.ids import new_id
from notiway.item import Item
from notiway.models import now_ms
from notiway.notifications import item_of, publish
from notiway.runtime import Runtime
from notiway.superseding import superseding_key


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one envelope."""

    envelope: Envelope
    duplicate: bool
    notification_id: str | None = None


def publish_envelopes(runtime: Runtime, envelopes: Sequence[Envelope]) -> list[Outcome]:
    """Store what is to be kept, then deliver; a duplicate is neither stored nor delivered again."""
    fresh: list[Item] = []
    outcomes: list[Outcome] = []
    with db.atomic():
        for envelope in envelopes:
            item, is_new = _store(envelope) if envelope.persisted else _pass_on(runtime, envelope)
            outcomes.append(Outcome(envelope, not is_new, item.id if is_new else None))
            if is_new:
                fresh.append(item)
        db.after_commit(lambda: _ring(runtime, fresh))
    return outcomes


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
        **{name: getattr(draft, name) for name in draft.__slots__},
    )
    return item, runtime.recent.add((draft.producer, envelope.id))


def _ring(runtime: Runtime, items: Sequence[Item]) -> None:
    counts: dict[str, int] = {}
    for item in items:
        data: dict[str, Any] = {"notification": item.as_dict()}
        kind, _, user_id = item.audience.partition(":")
        if kind == "user" and item.persisted:
            if user_id not in counts:
                counts[user_id] = inbox.unread_count(user_id)
            data["unread"] = counts[user_id]
        if key := superseding_key(item):
            data["coalesce"] = key
        publish(runtime, Event("created", item.audience, data))
