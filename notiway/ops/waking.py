"""Waking: threads that look for work now and then do so at the same moments, so an idle process wakes once a second."""

from __future__ import annotations

import threading
import time
from typing import Any

from notiway.pausing import EARLY_SECONDS, until_then


class Flag(threading.Event):
    """An event whose long waits end together with those of others."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(None if timeout is None else until_then(timeout, time.monotonic()))


def notify_with_others(worker: Any) -> None:
    """Let gunicorn's worker, which tells its arbiter once a second that it is alive, do so at those moments too."""
    notify = worker.notify

    def notify_in_time() -> None:
        notify()
        late = time.monotonic() % 1.0
        if EARLY_SECONDS < late < 1.0 - EARLY_SECONDS and worker.alive:
            time.sleep(1.0 - late)

    worker.notify = notify_in_time
