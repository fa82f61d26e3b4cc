"""Relay: Events of processes that hold no sockets reach the web process, through a queue of their own.

Only the memory broker needs it. The queue is apart from that of the jobs, so that a long job holds up no Event, and so
that the web process takes Events also where jobs run in a worker.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from flask import Flask
from huey import Huey
from huey.consumer import Worker
from huey.signals import SIGNAL_EXPIRED

from notiway import metrics
from notiway.live import runtime
from notiway.live.runtime import Runtime
from notiway.ops.jobs import in_app
from notiway.ops.queue_file import QueueFile
from notiway.ops.waking import Flag
from notiway.pausing import in_stretches, pause
from notiway.store.sql import in_batches
from notiway.values.event import Event

log = logging.getLogger(__name__)

QUEUE_NAME = "notiway-events"
CROWDED_SECONDS = 0.05  # between two looks whether the hub has delivered what it has
EXPIRES_SECONDS = 60  # an Event that waited longer is old news: clients have asked the database since
TOLD_SECONDS = 60.0  # between two lines in the log about those
IDLE_POLL_SECONDS = 0.5  # how long an Event waits at most for an idle process: it is heard within a second
FIRST_POLL_SECONDS = 0.1  # after an Event others may follow at once; each look in vain makes the pause longer
LONGER = 1.15
LOOK_EVERY = 100  # tasks between two looks at how many wait
MOST_WAITING = 5_000  # tasks; who is there takes them many times faster than they come
TOGETHER = 50  # Events in one task: of 32 KiB at most
NOBODY_HEARS = (
    "It is in the database, but open pages learn of it at their next heartbeat only: the memory broker does not leave"
    " its process. Set NOTIWAY_JOBS=web or worker, here and for the web process."
)


def add_task(events: Huey, app: Flask) -> None:
    """Let the queue of Events know what is done with one."""
    events.task(name="relay", expires=EXPIRES_SECONDS)(in_app(app, relay))
    events.task(name="relay_all", expires=EXPIRES_SECONDS)(in_app(app, relay_all))
    events.signal(SIGNAL_EXPIRED)(Dropped().note)


def relay(raw: bytes) -> None:
    """Publish an Event that another process put on the queue, when the hub has room for it: the queue can wait."""
    now = runtime.current()
    _wait_for_room(now)
    now.broker.publish((Event.from_bytes(raw),))
    pause()  # the next one may be there already


def _wait_for_room(now: Runtime) -> None:
    while now.hub.waiting.is_too_long:
        pause(CROWDED_SECONDS)


def relay_all(listed: list[tuple[str, str, dict[str, Any], float]]) -> None:
    """Publish Events that another process put on the queue together; what nobody here could hear is left out."""
    now = runtime.current()
    for parts in in_stretches(listed):
        event = Event(*parts)
        _wait_for_room(now)
        if event.kind != "created" or now.is_heard(event.audience):
            now.broker.publish((event,))
    pause()


def hand_over(now: Runtime) -> None:
    """Let what this process publishes reach the process with the sockets, until it becomes that process itself.

    Where the broker is shared it does so anyway; with NOTIWAY_JOBS=off nobody takes from the queue.
    """
    if now.config.broker_is_shared or now.config.jobs == "off":
        return
    one, several = (now.events._registry.string_to_task(f"{__name__}.{name}") for name in ("relay", "relay_all"))
    bound = Bound(now.events)

    def enqueue(task: Any) -> None:
        try:
            bound.keep()
            now.events.enqueue(task)
        except OSError:
            raise
        except Exception as error:  # each storage has its own errors; to whoever publishes the broker is down
            raise ConnectionError(f"the queue of background work did not accept an event: {error}") from error

    def put_all(events: Sequence[Event]) -> None:
        for part in in_batches(events, TOGETHER):
            enqueue(several(([(each.kind, each.audience, each.data, each.published_at) for each in part],)))

    now.broker.start(lambda event: enqueue(one((event.to_bytes(),))), put_all)


def is_heard() -> bool:
    """Whether what a process without sockets publishes is heard: not with the memory broker and NOTIWAY_JOBS=off."""
    config = runtime.current().config
    return config.broker_is_shared or config.jobs != "off"


class Bound:
    """Keeps the queue short where nobody takes from it: the oldest go, which nobody was there to hear."""

    def __init__(self, events: Huey) -> None:
        self._events = events
        self._put = 0

    def keep(self) -> None:
        """Before each task that is put there."""
        self._put += 1
        if self._put % LOOK_EVERY or not isinstance(self._events.storage, QueueFile):
            return
        if gone := self._events.storage.drop_oldest(MOST_WAITING):
            metrics.RELAY_DROPS.inc(gone)
            log.warning(
                "%d events were dropped: no process takes them. Start the one that holds the live connections:"
                " flask --app yourapp notiway live",
                gone,
            )


class Dropped:
    """Counts the Events that came too late, and says so from time to time."""

    def __init__(self) -> None:
        self._count = 0
        self._told_at: float | None = None

    def note(self, _signal: object = None, task: Any = None) -> None:
        """Take note of a task with one Event, or with several."""
        given = getattr(task, "args", None) or [None]
        count = len(given[0]) if isinstance(given[0], list) else 1
        metrics.RELAY_DROPS.inc(count)
        self._count += count
        now = time.monotonic()
        if self._told_at is None or now - self._told_at > TOLD_SECONDS:
            log.warning(
                "%d events of other processes waited for more than %d s and were dropped; clients see what is stored at"
                " their next heartbeat or connect. Look for what keeps the web process busy",
                self._count,
                EXPIRES_SECONDS,
            )
            self._count, self._told_at = 0, now


class Relay:
    """The web process's end: a thread (a greenlet under gevent) that publishes what the queue holds, in order."""

    def __init__(self, events: Huey) -> None:
        self._ends = Flag()
        self._taker = Worker(events, self._ends, FIRST_POLL_SECONDS, IDLE_POLL_SECONDS, LONGER)
        self._thread = threading.Thread(target=self._run, name="notiway-relay", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let the Event at hand go out, and take no other."""
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ends.is_set():
            self._taker.loop()  # logs what fails, and goes on


def start_relay(events: Huey) -> Any:
    """Take Events from the queue in this process from now on; `stop()` ends it."""
    taker = Relay(events)
    taker.start()
    return taker
