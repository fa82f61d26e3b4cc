"""Fixtures: a database without tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest

from notiway.store.database import open_database, use_database


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[peewee.Database]:
    opened = open_database(f"sqlite:///{tmp_path}/models.db")
    use_database(opened)
    yield opened
    opened.close_all()
