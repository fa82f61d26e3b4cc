"""Runtime: what one application has running in this process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app, has_app_context

from notiway import metrics
from notiway.live import drain
from notiway.live.badges import Badges
from notiway.live.broker import Broker
from notiway.live.carriers import can_hold
from notiway.live.carriers.inbound import Inbound
from notiway.live.carriers.replaying import Replaying
from notiway.live.delivery.format import Format
from notiway.live.hub import Hub
from notiway.live.limits.gate import Gate
from notiway.live.limits.pace import Pace
from notiway.live.limits.seen_ids import Ids
from notiway.live.limits.throttle import Throttle
from notiway.live.reactor import Reactor
from notiway.live.shared.presence import Presence
from notiway.pausing import in_stretches, pause
from notiway.store.database import check_greenlets
from notiway.store.schema import OWN, Migrations
from notiway.values.config import Config
from notiway.values.errors import Overloaded
from notiway.values.event import Event
from notiway.values.kinds.registry import Kinds
from notiway.values.people import People, UnknownUsers, UserIsActive

log = logging.getLogger(__name__)

KEY = "notiway"  # in app.extensions
QUEUE_MOST = 100  # tasks on their way to the process with the sockets, of fifty Events at most: a second of its work
# A publisher whose turn comes when Events are late lets the loop go round. When others have been ahead of it so often,
# each time with enough to make Events late again, more comes than can be delivered.
LOOKS = 6
LOOK_SECONDS = 0.004  # for servers with threads; under gevent a round of a busy loop takes longer
SAMPLE_SECONDS = 1.0
ROOM_SECONDS = 0.02  # between two looks of the broker's reader whether Events have gone out
RESYNC_SHARE = 0.5  # of the rate of new connections: the rest is for those who come by themselves
TOLD_SECONDS = 10.0  # between two lines in the log about publishers that are refused


@dataclass
class Runtime:
    """The parts that live as long as the process: database, broker, reactor, hub, jobs."""

    app: Flask
    config: Config
    database: Any
    broker: Broker
    reactor: Reactor
    hub: Hub
    inbound: Inbound
    badges: Badges
    replaying: Replaying
    formats: dict[str, Format]
    unknown_users: UnknownUsers
    user_is_active: UserIsActive
    token_secret: str
    throttle: Throttle
    gate: Gate
    presence: Presence
    seen_ids: Ids
    kinds: Kinds = field(default_factory=Kinds)
    people: People | None = None
    migrations: tuple[Migrations, ...] = (OWN,)
    pace: Pace = field(default_factory=Pace)
    huey: Any = None
    events: Any = None  # the queue of Events of processes without sockets
    start_relay: Callable[[], Any] | None = None
    start_jobs: Callable[[], Any] | None = None
    snoozes: Any = None  # what brings snoozed items back (ops/rounds/snoozes.py)
    told: dict[str, str] = field(default_factory=dict)  # faults of parts of pages that the log knows (web/ornaments.py)
    check_alone: Callable[[], None] = lambda: None  # raises `ConfigError` where another process serves this database
    let_go: Callable[[], None] = lambda: None  # another process may serve this database from then on
    _background: list[Any] = field(default_factory=list)
    _started: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def draining(self) -> bool:
        return self.hub.draining

    @property
    def holds_sockets(self) -> bool:
        """Whether live connections are held by this process."""
        return self._started

    def is_heard(self, audience: str) -> bool:
        """Whether anybody may hear an audience: False only where all live connections are in this process."""
        alone = self._started and not self.config.broker_is_shared
        return not alone or self.hub.is_heard(audience)

    def heard_among(self, audiences: Sequence[str]) -> Collection[str]:
        """Of many audiences those that anybody may hear; the others' connections are asked about in one go."""
        if self.config.broker_is_shared:
            return self.broker.heard_among(audiences)
        return [each for each in in_stretches(audiences) if self.is_heard(each)]

    def wait_for_room(self) -> None:
        """Let Events go out that were published before; `Overloaded` while they wait for too long.

        For publishers that can come back, before anything is stored. What the application itself sends is never
        refused, and neither is what users do with their items.
        """
        waiting = self.hub.waiting
        for _ in range(LOOKS):
            if not waiting.is_late:
                break
            pause(LOOK_SECONDS)
        if not (waiting.is_overtaken or waiting.is_too_long):
            return
        metrics.PUBLISHES_REFUSED.inc()
        if self.pace.due("overload", TOLD_SECONDS):
            log.warning(
                "publishers are answered with 503: %d Events wait, the oldest for %.1f s. More is published than this"
                " process delivers; publish in arrays, or less",
                len(self.hub.waiting),
                self.hub.waiting.oldest_seconds,
            )
        raise Overloaded("More is published than can be delivered. Try again in a second.")

    def is_crowded(self) -> bool:
        """Whether Events wait for too long, here or on their way to the process that holds the sockets."""
        if self._started or self.config.broker_is_shared or self.events is None:
            return self.hub.waiting.is_too_long
        try:
            return bool(self.events.pending_count() > QUEUE_MOST)
        except Exception:  # each queue has its own errors; whoever publishes meets this one, and can tell what to do
            log.debug("the queue of Events does not say how many wait", exc_info=True)
            return False

    def url(self, path: str) -> str:
        """The path on this site; needs no request, for frames are rendered without one."""
        root: str = self.app.config.get("APPLICATION_ROOT") or ""
        return f"{root.rstrip('/')}{self.config.url_prefix}{path}"

    def live_url(self, path: str) -> str:
        """Where the pages open a live connection: the same path, at the live process where that has another origin."""
        return self.config.live_url + self.url(path)

    def begin(self, environ: Mapping[str, Any]) -> None:
        """Start at the first request, if this process is one that holds live connections.

        Others start nothing: what they publish goes to the processes that do.
        """
        if self.config.lives_elsewhere:
            return
        if self.config.live == "here" or self.app.testing or can_hold(environ):
            self.start()

    def start(self) -> None:
        """Start reactor, broker and jobs in this process, which holds live connections; a second call does nothing.

        Called by gunicorn's hook, else by the first request: always after a fork.
        """
        with self._lock:
            if self._started:
                return
            check_greenlets()
            self.check_alone()
            self._started = True
        self.reactor.start()
        if metrics.FOLDER:  # another worker may answer for this one, and can only read what was set
            self.reactor.every(SAMPLE_SECONDS, lambda: metrics.OLDEST_EVENT.set(self.hub.waiting.oldest_seconds))
        else:
            metrics.OLDEST_EVENT.set_function(lambda: self.hub.waiting.oldest_seconds)
        # The first request starts this: what cannot start now is told, and must not cost the application its page.
        try:
            self.broker.start(self._deliver(), on_gap=self._resync)
        except OSError:
            log.exception("the broker does not answer, so open pages hear nothing; correct NOTIWAY_BROKER_URL, restart")
        self.presence.start(self.broker.node)
        for start in (self.start_relay, self.start_jobs, self.snoozes and self.snoozes.start):
            try:
                self._background += [] if start is None else [start()]
            except Exception:
                log.exception("background work did not start; correct NOTIWAY_JOBS_URL, then restart")

    def _deliver(self) -> Callable[[Event], None]:
        """What the broker delivers to: directly, or with a shared broker only as fast as Events go out from here.

        What waits then waits in the broker, whose memory for a slow process is bounded: it cuts off one that is too
        slow, and that is a gap.
        """
        deliver, waiting = self.badges.deliver, self.hub.waiting
        if not self.config.broker_is_shared:
            return deliver
        self.hub.hearing.ask_of(self.broker)

        def deliver_with_room(event: Event) -> None:
            while waiting.is_too_long and self._started:
                pause(ROOM_SECONDS)
            deliver(event)

        return deliver_with_room

    def _resync(self, audiences: Collection[str] | None) -> None:
        metrics.BROKER_GAPS.inc()
        drain.resync(self.hub, audiences, self.config.connect_rate * RESYNC_SHARE)

    def begin_drain(self) -> None:
        """Be not ready any more, so that no new work is sent here."""
        self.hub.draining = True

    def drain(self, seconds: float | None = None) -> bool:
        """Close all sockets with 1012, spread over the window; returns whether all were closed in time."""
        return drain.drain(self.hub, self.config.drain_seconds if seconds is None else seconds)

    def stop(self) -> None:
        """Stop what `start` started, and let go of the queues, which may have been used without that."""
        for work in self._background:
            work.stop()
        for queue in (self.huey, self.events):
            if queue is not None:
                queue.storage.close()
        if not self._started:
            return
        self.presence.stop()
        self.broker.close()
        self.inbound.close()
        self.badges.close()
        self.replaying.close()
        self.reactor.stop()
        self.let_go()


def database_in_context() -> Any:
    """The database of the current application; None outside an application context."""
    if not has_app_context():
        return None
    return getattr(current_app.extensions.get(KEY), "database", None)


def current() -> Runtime:
    """The runtime of the current application; `RuntimeError` outside an application context."""
    runtime: Runtime = current_app.extensions[KEY]
    return runtime
