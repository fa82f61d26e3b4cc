"""Surroundings: tables, time and background work of a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from flask import Flask
from huey import Huey
from huey.api import Task

from notiway.live.runtime import KEY, Runtime
from notiway.ops import jobs
from notiway.store import schema
from notiway.store.database import db
from notiway.values import clock as times


@contextmanager
def prepared(app: Flask) -> Iterator[Flask]:
    """Make Notiway's tables; at the end stop what the application started, and close Notiway's connections.

    >>> with prepared(create_app(testing)) as app:  # doctest: +SKIP
    ...     yield app
    """
    running: Runtime = app.extensions[KEY]
    with app.app_context():
        schema.migrate(db.obj, running.migrations)
        if db.host is not None:
            db.host.finish()
    try:
        yield app
    finally:
        running.stop()
        close = getattr(running.database, "close_all", running.database.close)  # a pool's close would only put it back
        close()


class Clock:
    """Time as Notiway sees it, which stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.now = at

    @property
    def now(self) -> datetime:
        return times.moment(times.now_ms())

    @now.setter
    def now(self, at: datetime) -> None:
        times.stop_at(times.milliseconds(at))

    def advance(self, by: timedelta | None = None, **parts: float) -> datetime:
        """Move on by a `timedelta`, or by its parts: `clock.advance(days=1, hours=2)`."""
        self.now += by or timedelta(**parts)
        return self.now


@contextmanager
def clock(at: datetime | None = None) -> Iterator[Clock]:
    """Inside, Notiway's time stands still, at this moment (a naive one is UTC) or at the present.

    When notifications were sent, read and expire goes by it, and so does cleanup. Sessions and tokens do not.

    >>> with clock(datetime(2030, 1, 1)) as now:  # doctest: +SKIP
    ...     send_notification("ada", "Sale", expires_at=datetime(2030, 1, 2))
    ...     now.advance(days=2)
    """
    before = times.stopped_at()
    try:
        yield Clock(datetime.now(UTC) if at is None else at)
    finally:
        times.stop_at(before)


@contextmanager
def eager_jobs() -> Iterator[None]:
    """Inside, `jobs.enqueue` runs the job at once, in a context of its own; what the job raises is raised.

    >>> with eager_jobs():  # doctest: +SKIP
    ...     client.post("/imports")
    """

    def run(huey: Huey, task: Task) -> Any:
        if huey.name != jobs.QUEUE_NAME:  # Events on their way to the process that holds the live connections
            return later(huey, task)
        return huey.deserialize_task(huey.serialize_task(task)).execute()  # as a worker would get it

    later = Huey.enqueue
    with patch.object(Huey, "enqueue", run):
        yield
