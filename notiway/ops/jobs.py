"""Background work: huey's queue, the tasks on it, and the consumer that runs them.

The queue is a SQLite file beside the database, or Redis where one is configured. Its consumer runs inside
the web process, or as `flask --app app notiway worker`.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from huey import Huey, MemoryHuey, RedisHuey
from huey.api import PeriodicTask
from huey.consumer import Consumer, Scheduler
from huey.serializer import SignedSerializer

from notiway.live import runtime
from notiway.ops import time_limit
from notiway.ops.queue_file import QueueFile
from notiway.ops.waking import Flag
from notiway.store import retention
from notiway.store.engine import private_files
from notiway.store.search import catalogue
from notiway.values import broker_url
from notiway.values.config import Config
from notiway.values.errors import ConfigError, Fault
from notiway.verbs import progress

log = logging.getLogger(__name__)

QUEUE_NAME = "notiway"
FILE_NAME = "jobs.db"
CLEANUP_HOUR = 3  # UTC; a process that starts later that day still does it
MAX_POLL_SECONDS = 1.0  # how long a task waits at most for an idle consumer on a SQLite queue
ANSWER_SECONDS = 5.0  # that Redis may take: longer than an idle consumer waits for a task
HEALTH_SECONDS = 10.0
PERIODS = {"day": "%Y-%m-%d", "hour": "%Y-%m-%dT%H", "minute": "%Y-%m-%dT%H:%M"}
KEPT_CLAIMS = 2  # the period before may still be the present one on a machine whose clock is behind


def build_huey(
    config: Config, *, secret: str | bytes | None = None, folder: Path = Path("instance"), name: str = QUEUE_NAME
) -> Huey:
    """The queue of that name, where the settings say; nothing runs yet.

    With a `secret`, tasks are signed: huey pickles them, so whoever could write to the queue could run code.

    >>> build_huey(Config(jobs_url="sqlite:///instance/jobs.db")).name
    'notiway'
    """
    options: dict[str, Any] = {"results": False}
    if secret:
        options["serializer"] = SignedSerializer(secret=secret, salt="notiway.jobs")
    url = config.jobs_url or (config.broker_url if config.broker_is_shared else "")
    if url and urlsplit(url).scheme not in ("sqlite", broker_url.MEMORY):
        from notiway.live.broker.redis_client import open_client

        pool = open_client(url, answer_seconds=ANSWER_SECONDS).connection_pool
        return RedisHuey(name, connection_pool=pool, **options)
    path = _queue_file(url or config.database_url, folder, own=bool(url))
    if path is None:
        return MemoryHuey(name, **options)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        private_files.create(path)
        return Huey(name, storage_class=QueueFile, filename=str(path), cache_mb=1, **options)
    except (OSError, sqlite3.Error) as error:
        advice = "name a file in a folder that this process may write in (sqlite:////var/lib/app/jobs.db)"
        raise ConfigError(
            f"The queue of background work cannot be opened: {path}: {error}", [Fault("NOTIWAY_JOBS_URL", advice)]
        ) from error


def _queue_file(url: str, folder: Path, *, own: bool) -> Path | None:
    parts = urlsplit(url)
    if parts.scheme != "sqlite":
        return folder / FILE_NAME
    name = parts.path[1:]
    if name in ("", ":memory:"):
        return None
    return Path(name) if own else Path(name).with_name(FILE_NAME)


def add_tasks(huey: Huey, app: Flask) -> None:
    """Register every task of Notiway on the queue; a second call changes nothing."""
    if any(name.endswith(".clean_up") for name in huey._registry._registry):
        return
    huey.periodic_task(daily(CLEANUP_HOUR), name="clean_up", once_per="day")(in_app(app, clean_up))
    huey.periodic_task(always, name="clean_expired", once_per="hour")(in_app(app, clean_expired))
    huey.periodic_task(always, name="list_inboxes", once_per="minute")(in_app(app, list_inboxes))


def add(app: Flask, function: Callable[..., None]) -> None:
    """Register a job of the application's own, where the application is made: web process and worker need to know it.

    If it raises, the tasks that it reports on, and those whose ids are among its arguments, have failed. One that takes
    longer than NOTIWAY_JOB_SECONDS is ended: `huey.exceptions.TaskTimeout` is raised in it.

    >>> jobs.add(app, import_contacts)  # doctest: +SKIP
    >>> jobs.enqueue(import_contacts, current_user.id, data)  # in a route  # doctest: +SKIP
    """

    @wraps(function)
    def job(*args: Any) -> None:
        with progress.followed(args):
            function(*args)

    running = app.extensions[runtime.KEY]
    running.huey.task(name=function.__name__, timeout=running.config.job_seconds)(in_app(app, job))


def enqueue(function: Callable[..., None], *args: Any) -> None:
    """Put a registered job on the queue; its arguments must pickle."""
    huey = runtime.current().huey
    huey.enqueue(huey._registry.string_to_task(f"{function.__module__}.{function.__name__}")(args))


def clean_up() -> None:
    """Remove what is older than the retention, and what expired; once a day."""
    config = runtime.current().config
    done = retention.clean_up(config.retention_days, dedupe_days=config.dedupe_days)
    log.info("cleanup removed %d old and %d expired notifications, %d inbox items", done.old, done.expired, done.items)


def clean_expired() -> None:
    """Remove what has expired; once an hour, for every count of what is unread walks past it until then."""
    done = retention.clean_expired(dedupe_days=runtime.current().config.dedupe_days)
    log.info("cleanup removed %d expired notifications, %d inbox items", done.expired, done.items)


def list_inboxes() -> None:
    """Bring the catalogue of large inboxes up to date, by which they are searched; once a minute."""
    if listed := catalogue.follow():
        log.info("the search catalogue lists %d more items", listed)


def daily(hour: int) -> Callable[[datetime], bool]:
    """True from that hour (UTC) on: with `once_per="day"` a machine that slept at that hour makes up for it."""
    return lambda timestamp: timestamp.hour >= hour


def always(timestamp: datetime) -> bool:
    """True at every minute: with `once_per="hour"` the first one of each hour that finds a consumer does it."""
    del timestamp
    return True


def claim(huey: Huey, task: PeriodicTask, timestamp: datetime) -> str | None:
    """Win the right to run a periodic task in its period: of all processes exactly one gets a key, the others None."""
    prefix = f"once.{task.name}."
    key = prefix + timestamp.strftime(PERIODS[getattr(task, "once_per", "minute")])
    if huey.storage.has_data_for_key(key) or not huey.put_if_empty(key, True):
        return None
    for old in sorted(name for name in huey.storage.result_items() if name.startswith(prefix))[:-KEPT_CLAIMS]:
        huey.delete(old)
    return key


class OnceScheduler(Scheduler):  # type: ignore[misc]
    """Puts a periodic task on the queue once, however many processes run a consumer."""

    def enqueue_periodic_tasks(self, now: datetime | None) -> None:
        timestamp = now or self.huey._get_timestamp()
        for task in self.huey.read_periodic(now):
            try:
                key = claim(self.huey, task, timestamp)
                if key is not None:
                    self._enqueue(task, key)
            except Exception:  # the scheduler must outlive a queue that is away for a moment
                log.exception(
                    "periodic task %s could not be put on the queue; it is tried again in a minute", task.name
                )

    def _enqueue(self, task: PeriodicTask, key: str) -> None:
        try:
            self.huey.enqueue(task)
        except Exception:
            self.huey.delete(key)
            raise


class OnceConsumer(Consumer):  # type: ignore[misc]
    """A consumer process: `run()` works until SIGTERM or SIGINT and finishes the task at hand."""

    scheduler_class = OnceScheduler


class Background(OnceConsumer):
    """A consumer inside another process: it leaves that process's signals alone."""

    def get_environment(self, worker_type: str) -> Any:
        environment = super().get_environment(worker_type)
        environment.get_stop_flag = Flag
        return environment

    def start(self) -> None:
        super().start()
        threading.Thread(target=self._watch, name="notiway-jobs", daemon=True).start()

    def stop(self, graceful: bool = True) -> None:
        super().stop(graceful=graceful)

    def _watch(self) -> None:
        while not self.stop_flag.wait(HEALTH_SECONDS):
            self.check_worker_health()

    def _set_signal_handlers(self) -> None:
        return None


def start_consumer(huey: Huey, app: Flask) -> Background:
    """Run the queue's tasks in this process, in threads (greenlets under gevent); `stop()` lets the last one finish."""
    add_tasks(huey, app)
    consumer = Background(huey, **_options(app))
    time_limit.use(huey)
    consumer.start()
    return consumer


def run_worker(huey: Huey, app: Flask) -> None:
    """Run the queue's tasks in this process until SIGTERM or SIGINT; returns when the last one is finished."""
    add_tasks(huey, app)
    consumer = OnceConsumer(huey, graceful_signal="TERM", **_options(app))
    time_limit.use(huey)
    consumer.run()


def _options(app: Flask) -> dict[str, Any]:
    seconds = app.extensions["notiway"].config.drain_seconds
    return {"workers": 1, "max_delay": MAX_POLL_SECONDS, "shutdown_timeout": seconds}


def in_app(app: Flask, function: Callable[..., None]) -> Callable[..., None]:
    """The function inside the application, as a task of a queue."""

    @wraps(function)
    def run(*args: Any) -> None:
        with app.app_context():
            function(*args)

    return run
