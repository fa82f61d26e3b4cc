"""Fixtures: a shop whose SQLAlchemy session and Notiway share a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alchemy import Shop, address


@pytest.fixture
def open_shop(place: Path | str, tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """Opens shops on the database of `place`: `open_shop(NOTIWAY_DATABASE_URL=…)`."""
    opened: list[Shop] = []

    def make(url: str | None = None, **options: Any) -> Shop:
        opened.append(Shop(url or address(place), tmp_path, **options))
        return opened[-1]

    yield make
    for shop in opened:
        shop.close()


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Iterator[Shop]:
    """A shop, and its application context."""
    made = open_shop()
    with made.app.app_context():
        yield made
