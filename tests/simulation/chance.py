"""Chance: Python's generator, which draws the same numbers with fewer calls."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

Value = TypeVar("Value")


class Chance(random.Random):
    """`below`, `choice` and `randrange` draw what `random.Random` would."""

    def below(self, end: int) -> int:
        """A number from 0 to `end` - 1."""
        bits = end.bit_length()
        drawn = self.getrandbits(bits)
        while drawn >= end:
            drawn = self.getrandbits(bits)
        return drawn

    def choice(self, values: Sequence[Value]) -> Value:  # type: ignore[override]
        return values[self.below(len(values))]

    def randrange(self, end: int) -> int:  # type: ignore[override]
        return self.below(end)

    def randint(self, first: int, last: int) -> int:
        return first + self.below(last - first + 1)
