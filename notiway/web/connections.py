"""Connections: each application context closes the database connection that it opened, and no other."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import peewee
from flask import Flask, Response, appcontext_pushed, current_app, g, has_app_context, has_request_context, request

from notiway.live.runtime import KEY
from notiway.store.database import db
from notiway.store.session.joining import Surroundings
from notiway.values.errors import ConfigError, Fault

if TYPE_CHECKING:
    from notiway.store.session.engines import Place

log = logging.getLogger(__name__)

BLUEPRINTS = ("notiway", "notiway_live", "notiway_staff")


def follow_contexts(app: Flask) -> None:
    """A context inside another, or inside a transaction, leaves the connection that it found as it is."""
    appcontext_pushed.connect(_begin, app, weak=False)
    app.teardown_appcontext(_end)


def _begin(_app: Flask, **_: Any) -> None:
    # Both ask the connection first: nearly always there is none, and the application's own requests pay for the rest.
    if not db.own.is_closed():
        g.notiway_found_open = True
    g.notiway_heard = _app.extensions[KEY].hub.heard


def _end(_error: BaseException | None) -> None:
    own = db.own
    if own.is_closed() or g.get("notiway_found_open", False):
        return
    if own.in_transaction():
        log.warning("a transaction is still open at the end of its application context: end it inside, with `with`")
        return
    own.close()


def is_own_page() -> bool:
    """Whether this request is for a page of Notiway's: it takes no part in a session of the host's."""
    return has_request_context() and request.blueprint in BLUEPRINTS


def inside(app: Flask) -> AbstractContextManager[Any]:
    """The context of this application, where it is not the current one."""
    is_inside = has_app_context() and current_app._get_current_object() is app  # type: ignore[attr-defined]
    return nullcontext() if is_inside else app.app_context()


def place_beside(app: Flask, sqlalchemy: Any, database: Any, configured: str) -> Place | None:
    """Where Notiway's rows go beside the application's sessions; None where it gave none.

    `configured` is NOTIWAY_DATABASE_URL. `ConfigError` where the sessions cannot be used.
    """
    if sqlalchemy is None:
        return None
    if database is not None:
        raise ConfigError("Notiway cannot start", [Fault("sqlalchemy", "give this or `database`, not both")])
    try:
        from notiway.store.session import host_session
    except ImportError as error:
        advice = "needs SQLAlchemy 2: pip install 'notiway[sqlalchemy]'"
        raise ConfigError("Notiway cannot start", [Fault("sqlalchemy", advice)]) from error
    with app.app_context():
        return host_session.place_beside(sqlalchemy, configured)


def share(app: Flask, own: peewee.Database, sqlalchemy: Any, place: Place | None) -> None:
    """Let what the application's code sends be part of its sessions' transactions."""
    if place is not None:
        from notiway.store.session import host_session

        around = Surroundings(lambda: inside(app), is_own_page, lambda: app.testing)
        host_session.share(own, sqlalchemy, place, around)


def finish(response: Response) -> Response:
    """At the end of a page of Notiway's: keep what it wrote, where it had no connection but that of the session."""
    if db.host is not None:
        db.host.finish()
    return response
