"""Fixtures: the verbs on a database of their own, and what they publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fresh import Notebook, verbs

from notiway.store.tables import AuditEntry


@pytest.fixture
def broker(place: Path | str) -> Iterator[Notebook]:
    """What the verbs publish, on a fresh database; the users are `fresh.KNOWN_USERS`."""
    with verbs(place) as notebook:
        yield notebook


@pytest.fixture
def entries() -> Callable[[], list[tuple[str, str, str]]]:
    """The rows of the audit log, oldest first: who did what, for which audience."""

    def read() -> list[tuple[str, str, str]]:
        return [(row.actor_id, row.action, row.audience) for row in AuditEntry.select().order_by(AuditEntry.id)]

    return read
