"""Mutants: faults that Notiway had, or could have. The simulation must find each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Patch = list[tuple[Any, str, Any]]  # object, attribute, what it is in the mutant
MUTANTS: dict[str, Callable[[], Patch]] = {}


@contextmanager
def installed(name: str | None) -> Iterator[None]:
    """Inside, Notiway has this fault; None: none."""
    patch = MUTANTS[name]() if name else []
    before = [(where, key, getattr(where, key)) for where, key, _ in patch]
    for where, key, value in patch:
        setattr(where, key, value)
    try:
        yield
    finally:
        for where, key, value in before:
            setattr(where, key, value)
