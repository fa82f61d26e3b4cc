"""Plugin: fixtures for pytest, which finds them by itself where Notiway is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # pytest loads this before anything of an application, and before coverage begins
    from notiway.testing.outbox import Outbox
    from notiway.testing.surroundings import Clock


@pytest.fixture
def notiway_outbox() -> Iterator[Outbox]:
    """What is sent during the test."""
    from notiway.testing import outbox

    with outbox() as sent:
        yield sent


@pytest.fixture
def notiway_clock() -> Iterator[Clock]:
    """Notiway's time, which stands still at the present until the test moves it."""
    from notiway.testing import clock

    with clock() as now:
        yield now


@pytest.fixture
def notiway_eager_jobs() -> Iterator[None]:
    """Jobs run at once."""
    from notiway.testing import eager_jobs

    with eager_jobs():
        yield
