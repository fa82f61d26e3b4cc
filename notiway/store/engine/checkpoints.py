"""Checkpoints: SQLite's log goes into the database file in a thread of the system's, not in the middle of a commit.

By itself SQLite does it at the commit that makes the log too long, and waits for the disk there: under gevent the whole
process would wait.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import monotonic

from notiway.pausing import is_patched

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.5
AT_LATEST_PAGES = 20_000  # in the log, 80 MB: then a commit does it after all

Run = Callable[[Callable[[], None]], object]  # in another thread


class Checkpoints:
    """Of one database file. `note` is called after each commit, and costs nothing most of the time."""

    def __init__(self, path: str, run: Run, clock: Callable[[], float] = monotonic) -> None:
        self._path = Path(path)
        self._run = run
        self._clock = clock
        self._next = 0.0
        self._is_running = False

    def note(self) -> None:
        """Something was written: bring it into the file, unless that was done a moment ago."""
        now = self._clock()
        if self._is_running or now < self._next:
            return
        self._is_running, self._next = True, now + INTERVAL_SECONDS
        self._run(self._copy)

    def _copy(self) -> None:
        try:
            # Opened anew: no connection may go from one thread to another. A file that was removed is not made again.
            address = f"{self._path.absolute().as_uri()}?mode=rw"
            with closing(sqlite3.connect(address, uri=True, timeout=0)) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as error:
            log.debug("no checkpoint this time: %s", error)
        finally:
            self._is_running = False


def of(path: str) -> Checkpoints | None:
    """Checkpoints for this file where commits must not wait for the disk, which is under gevent; None elsewhere."""
    if not is_patched():
        return None

    def run(work: Callable[[], None]) -> object:
        from gevent import get_hub

        return get_hub().threadpool.spawn(work)

    return Checkpoints(path, run)
