"""Time limit: a job that takes too long is ended, so that those behind it have their turn."""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from huey import Huey
from huey.api import Task
from huey.exceptions import TaskTimeout
from huey.signals import SIGNAL_TIMEOUT

from notiway.pausing import is_patched

log = logging.getLogger(__name__)


def use(huey: Huey) -> None:
    """Keep the time limits of this queue's tasks; after its consumer was made, whose threads know none."""
    huey._timeout_handler = limited
    if not huey._signal.receivers.get(SIGNAL_TIMEOUT):
        huey.signal(SIGNAL_TIMEOUT)(_tell)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `TaskTimeout` inside when the time is over.

    Under gevent that happens while it waits for something, else between two steps of Python: not inside a call that
    neither waits nor comes back.
    """
    if is_patched():
        from gevent import Timeout

        with Timeout(seconds, TaskTimeout(f"after {seconds:g} s")):
            yield
        return
    alarm = _Alarm(threading.get_ident())
    timer = threading.Timer(seconds, alarm.ring)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        alarm.silence()


class _Alarm:
    """Raises `TaskTimeout` in a thread, unless it was silenced before."""

    def __init__(self, thread: int) -> None:
        self._thread = ctypes.c_ulong(thread)
        self._lock = threading.Lock()
        self._is_over = False

    def ring(self) -> None:
        with self._lock:
            if not self._is_over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, ctypes.py_object(TaskTimeout))

    def silence(self) -> None:
        with self._lock:
            self._is_over = True
            # What rang and was not heard yet must not be raised in the next job.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, None)


def _tell(_: str, task: Task) -> None:
    log.error(
        "the job %s was ended after %g s, since other jobs wait behind it. Split it, or raise NOTIWAY_JOB_SECONDS",
        task.name,
        task.timeout,
    )
