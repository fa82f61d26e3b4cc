"""Untold: what a process stored and could not tell, for it died between the commit and its Events."""

from __future__ import annotations

import logging

from notiway.live.runtime import Runtime
from notiway.store import writing
from notiway.store.database import db
from notiway.store.engine.faults import unavailable
from notiway.values.event import UNDER_WAY_SECONDS

log = logging.getLogger(__name__)

BEFORE_MS = UNDER_WAY_SECONDS * 1000  # so long Events are kept while the broker is away
AUDIENCES = 1_000  # beyond that all clients are let look


def tell_gap_since(runtime: Runtime, crashed_at: float) -> None:
    """Let those resume who may lack what was stored just before, in seconds since the epoch; never fails.

    Clients that were connected to the process that died come back anyway. This is for those at others.
    """
    try:
        with db.connection_context():
            audiences = writing.audiences_since(int(crashed_at * 1000) - BEFORE_MS, AUDIENCES)
    except Exception as error:
        if unavailable(error) is None:
            raise
        audiences = None
    if audiences is None or audiences:
        log.warning("a worker ended without a goodbye; whoever may lack what it stored last is let resume")
        runtime.broker.tell_gap(audiences)
