"""Untold: what is stored and was perhaps told to nobody, for a process died or a commit was not answered."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial

import peewee
from flask import Flask

from notiway.live.runtime import Runtime, current
from notiway.live.shared.presence import Presence
from notiway.store import writing
from notiway.store.database import db
from notiway.store.engine.faults import unavailable
from notiway.store.engine.guard import guard_of
from notiway.values.event import UNDER_WAY_SECONDS

log = logging.getLogger(__name__)

BEFORE_MS = UNDER_WAY_SECONDS * 1000  # so long Events are kept while the broker is away
AUDIENCES = 1_000  # beyond that all clients are let look
LOOK_SECONDS = 0.5  # between two looks whether the database answers again
PATIENCE_SECONDS = 600.0  # for it, before all clients are let look


def watch(app: Flask, presence: Presence, database: peewee.Database) -> None:
    """From now on nobody lacks for long what another process, or this one in doubt, stored without telling."""
    presence.on_death = partial(tell_crash, app)
    guard = guard_of(database)
    if guard is not None:
        guard.on_doubt = Doubt(app).note


def tell_crash(app: Flask, crashed_at: float) -> None:
    """`tell_gap_since` for whoever has no application context: another process has died, or the one before this."""
    with app.app_context():
        tell_gap_since(current(), crashed_at)


def tell_gap_since(runtime: Runtime, crashed_at: float) -> None:
    """Let those resume who may lack what was stored just before, in seconds since the epoch; never fails.

    Clients that were connected to the process that died come back anyway. This is for those at others.
    """
    try:
        audiences = _audiences_since(crashed_at)
    except Exception as error:
        if unavailable(error) is None:
            raise
        audiences = None
    if audiences is None or audiences:
        log.warning("a process ended without a goodbye; whoever may lack what it stored last is let resume")
        runtime.broker.tell_gap(audiences)


def _audiences_since(moment: float) -> list[str] | None:
    with db.connection_context():
        return writing.audiences_since(int(moment * 1000) - BEFORE_MS, AUDIENCES)


class Doubt:
    """Commits whose answer was lost with the connection, as in a failover: they may have happened.

    Whoever sent is told that it failed, and no Event follows. So as soon as the database answers, those are let resume
    for whom anything was stored just before.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._since: float | None = None
        self._lock = threading.Lock()

    def note(self) -> None:
        """One more; returns at once."""
        with self._lock:
            is_known, self._since = self._since is not None, self._since or time.time()
        if not is_known:
            threading.Thread(target=self._settle, name="notiway-doubt", daemon=True).start()

    def _settle(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        audiences: list[str] | None = None
        with self._app.app_context():
            while time.monotonic() < deadline:
                time.sleep(LOOK_SECONDS)
                with self._lock:
                    since, self._since = self._since or time.time(), None  # who comes now begins anew
                try:
                    audiences = _audiences_since(since)
                    break
                except Exception as error:
                    if unavailable(error) is None:
                        raise
                with self._lock:
                    self._since = since
            if audiences is None or audiences:
                log.warning("commits were not answered; whoever may lack what they stored is let resume")
                current().broker.tell_gap(audiences)
