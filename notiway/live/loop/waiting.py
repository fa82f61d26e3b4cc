"""Waiting: how the reactor sleeps until one of its sockets is ready; under gevent others run meanwhile.

The kernel looks at every socket in an epoll object when that object is added to another one. gevent's own `select.poll`
adds what it waits for anew each time, so with ten thousand sockets each turn of the reactor cost half a millisecond.
Here the object is added once, and stays.
"""

from __future__ import annotations

import select
from typing import Any, Protocol

from notiway.pausing import is_patched

READ = 1  # of gevent's event loop


class Waiter(Protocol):
    """Waits for one file descriptor."""

    def wait(self, seconds: float) -> None:
        """Until the file descriptor can be read, but no longer than this."""

    def close(self) -> None:
        """Wait no more."""


def waiter_for(number: int) -> Waiter:
    """For a reactor in a thread, or in a greenlet where gevent has replaced threads; made where it is to wait."""
    return _InGreenlet(number) if is_patched() else _InThread(number)


class _InThread:
    def __init__(self, number: int) -> None:
        self._poll = select.poll()
        self._poll.register(number, select.POLLIN)

    def wait(self, seconds: float) -> None:
        self._poll.poll(seconds * 1000)

    def close(self) -> None:
        return None


class _InGreenlet:
    """`number` is watched as long as this lives: what comes while nobody waits ends the next wait at once."""

    def __init__(self, number: int) -> None:
        import gevent

        self._hub = gevent.get_hub()
        self._current = gevent.getcurrent
        self._sleeper: Any = None
        self._watcher = self._hub.loop.io(number, READ)
        self._watcher.start(self._wake)

    def wait(self, seconds: float) -> None:
        self._sleeper = self._current()
        timer = self._hub.loop.timer(seconds)
        timer.start(self._wake)
        try:
            self._hub.switch()
        finally:
            self._sleeper = None
            timer.stop()
            timer.close()

    def close(self) -> None:
        self._watcher.stop()
        self._watcher.close()

    def _wake(self) -> None:
        sleeper, self._sleeper = self._sleeper, None
        if sleeper is not None:
            sleeper.switch()
