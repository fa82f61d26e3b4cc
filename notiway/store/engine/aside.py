"""Aside: calls that keep SQLite busy for long run in a thread of the system's, where every greenlet would wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from notiway.pausing import is_patched

Aside = Callable[[Callable[[], Any]], Any]  # runs a call, and waits for it without holding up others


def of() -> Aside | None:
    """The way aside under gevent; None elsewhere, where a thread that waits holds up nobody."""
    return _in_thread if is_patched() else None


def _in_thread(call: Callable[[], Any]) -> Any:
    from gevent import get_hub

    answer = get_hub().threadpool.spawn(call)
    try:
        return answer.get()
    finally:
        # A greenlet that is killed while it waits: what it does next must not meet the call on the same connection.
        answer.wait()
