"""Connections: each application context closes the database connection that it opened, and no other."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, appcontext_pushed, g

from notiway.live.runtime import KEY
from notiway.store.database import db

log = logging.getLogger(__name__)


def follow_contexts(app: Flask) -> None:
    """A context inside another, or inside a transaction, leaves the connection that it found as it is."""
    appcontext_pushed.connect(_begin, app, weak=False)
    app.teardown_appcontext(_end)


def _begin(_app: Flask, **_: Any) -> None:
    # Both ask the connection first: nearly always there is none, and the application's own requests pay for the rest.
    if not db.is_closed():
        g.notiway_found_open = True
    g.notiway_heard = _app.extensions[KEY].hub.heard


def _end(_error: BaseException | None) -> None:
    if db.is_closed() or g.get("notiway_found_open", False):
        return
    if db.in_transaction():
        log.warning("a transaction is still open at the end of its application context: end it inside, with `with`")
        return
    db.close()
