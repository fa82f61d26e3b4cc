"""Once: what was sent first under an id, whether it was kept or not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b

from notiway.store.spent_ids import SpentId
from notiway.values.errors import Fault
from notiway.values.item import Item

HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class First:
    """What the first notification of an id said: enough to tell whether a second one says the same."""

    audience: str
    name: str
    body: str | None  # a hash: it tells another body, and costs little to keep; None where it is known no more
    persisted: bool

    @classmethod
    def of(cls, item: Item) -> First:
        body = json.dumps(item.body, sort_keys=True).encode()
        return cls(item.audience, item.name, blake2b(body, digest_size=HASH_BYTES).hexdigest(), item.persisted)

    @classmethod
    def read(cls, text: str) -> First:
        """The reverse of `to_text`."""
        audience, name, body, persisted = json.loads(text)
        return cls(audience, name, body, persisted)

    def to_text(self) -> str:
        """Compact, for whoever remembers it; any process can read it."""
        return json.dumps([self.audience, self.name, self.body, self.persisted])

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
