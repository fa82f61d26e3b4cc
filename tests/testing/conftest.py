"""Fixtures: a shop whose tests use what Notiway ships for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alchemy import Shop, address


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop on SQLite, and its application context."""
    made = Shop(address(tmp_path), tmp_path)
    with made.app.app_context():
        yield made
    made.close()
