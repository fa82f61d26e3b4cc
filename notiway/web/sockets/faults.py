"""Faults: what a live client hears of something that it asked for and that failed. Nothing is dropped in silence."""

from __future__ import annotations

import logging

from notiway.store.engine.faults import unavailable
from notiway.values.errors import NotiwayError, Unavailable

log = logging.getLogger(__name__)

OURS = ("Error", "An error occurred on the server. It has been logged.")


def told(error: Exception, what: str) -> tuple[str, str]:
    """Code and message for the client; call it in the `except` block. `what` failed, for the log.

    >>> told(NotiwayError("no"), "an action")
    ('Error', 'no')
    """
    known = error if isinstance(error, NotiwayError) else unavailable(error)
    if known is None:
        log.exception("%s failed", what)
        return OURS
    if isinstance(known, Unavailable):
        log.warning("%s was answered with %s: %s", what, known.code, known.reason)
    return known.code, str(known)
