"""Relay: Events of a process without sockets, such as a command, reach the web process through a queue of their own.

Only the memory broker needs that. Apart from the queue of jobs, for no Event may wait behind a slow one.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from flask import Flask
from huey import Huey
from huey.signals import SIGNAL_EXPIRED

from notiway import metrics
from notiway.live import runtime
from notiway.ops import jobs
from notiway.values.config import Config
from notiway.values.event import Event
from notiway.values.pausing import pause

log = logging.getLogger(__name__)

QUEUE_NAME = "notiway.relay"
EXPIRES_SECONDS = 60  # an Event that waited longer is old news: clients have asked the database since
TOLD_SECONDS = 60.0  # between two lines in the log about those
NOBODY_HEARS = (
    "It is in the database, but open pages learn of it at their next heartbeat only: the memory broker does not leave"
    " its process. Set NOTIWAY_JOBS=web, here and for the web process."
)


class Dropped:
    """Counts the Events that came too late, and says so from time to time."""

    def __init__(self) -> None:
        self._count = 0
        self._told_at: float | None = None

    def note(self, *_: object) -> None:
        """Take note of one more."""
        metrics.RELAY_DROPS.inc()
        self._count += 1
        now = time.monotonic()
        if self._told_at is None or now - self._told_at > TOLD_SECONDS:
            log.warning(
                "%d events of other processes waited for more than %d s and were dropped; clients see what is stored at"
                " their next heartbeat or connect. Look for what keeps the web process busy",
                self._count,
                EXPIRES_SECONDS,
            )
            self._count, self._told_at = 0, now


def build_queue(config: Config, app: Flask) -> Huey:
    """The queue of Events, with the task that publishes them; nothing runs yet."""
    queue = jobs.build_huey(config, secret=app.secret_key, folder=Path(app.instance_path), name=QUEUE_NAME)
    queue.task(name="relay", expires=EXPIRES_SECONDS)(jobs.in_app(app, relay))
    queue.signal(SIGNAL_EXPIRED)(Dropped().note)
    return queue


def relay(raw: bytes) -> None:
    """Publish an Event that another process put on the queue."""
    runtime.current().broker.publish(Event.from_bytes(raw))
    pause()  # the next one may be there already


def relay_events() -> bool:
    """Let the Events of this process reach the web process through the queue.

    Returns whether anybody will hear: not if the web process runs no consumer.
    """
    now = runtime.current()
    if now.config.broker_is_shared:
        return True
    if now.config.jobs != "web":
        return False
    task_class = now.relay._registry.string_to_task(f"{__name__}.relay")

    def put(event: Event) -> None:
        try:
            now.relay.enqueue(task_class((event.to_bytes(),)))
        except OSError:
            raise
        except Exception as error:  # each storage has its own errors; to whoever publishes the broker is down
            raise ConnectionError(f"the queue of background work took no event: {error}") from error

    now.broker.start(put)
    return True
