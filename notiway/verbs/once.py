"""Once: what was sent first under an id, whether it was kept or not."""

from __future__ import annotations

import json
from dataclasses import dataclass

from notiway.store.spent_ids import SpentId
from notiway.values.errors import Fault
from notiway.values.item import Item


@dataclass(frozen=True, slots=True)
class First:
    """What the first notification of an id said: enough to tell whether a second one says the same."""

    audience: str
    name: str
    body: int | None  # a hash: it tells another body, and costs little to keep; None where it is known no more
    persisted: bool

    @classmethod
    def of(cls, item: Item) -> First:
        return cls(item.audience, item.name, hash(json.dumps(item.body, sort_keys=True)), item.persisted)

    @classmethod
    def of_spent(cls, spent: SpentId) -> First:
        return cls(spent.audience, spent.name, None, persisted=True)

    def differences(self, other: First) -> list[Fault]:
        """In what a duplicate differs from it, by the paths of an envelope: the producer may have meant two things."""
        found = []
        if self.audience != other.audience:
            found.append(
                Fault("routing", f"differs: the first one with this id went to {self.audience}, this one nowhere")
            )
        if self.name != other.name:
            found.append(Fault("type", f"differs: the first one with this id was {self.name}"))
        if self.body is not None and self.body != other.body:
            found.append(Fault("body", "differs from that of the first one with this id, which is what was delivered"))
        if self.persisted != other.persisted:
            kept = "was kept" if self.persisted else "was not kept"
            found.append(Fault("metadata.isPersisted", f"differs: the first one with this id {kept}"))
        return found
