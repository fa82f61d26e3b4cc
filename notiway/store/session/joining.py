"""Joining: what the host's code does with Notiway is part of the transaction of its SQLAlchemy session."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from notiway.store.database import db

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Surroundings:
    """What the application knows and the store does not."""

    inside: Callable[[], AbstractContextManager[Any]]  # its application context
    is_bystander: Callable[[], bool]  # whether this request is one of Notiway's own pages
    is_tested: Callable[[], bool]  # whether it is being tested (TESTING)


def joins(verb: Callable[Given, Result]) -> Callable[Given, Result]:
    """For a verb that writes: it is part of the session's transaction, and as a whole a savepoint in it.

    So a statement of ours that fails costs the host's transaction nothing. Without a session, or where its connection
    cannot be shared, the verb runs as it is.
    """

    @wraps(verb)
    def joined(*args: Given.args, **options: Given.kwargs) -> Result:
        session = _session_to_join()
        return verb(*args, **options) if session is None else db.host.run(session, lambda: verb(*args, **options))

    return joined


def stands_aside(verb: Callable[Given, Result]) -> Callable[Given, Result]:
    """For a verb that is to be told at once: it joins only a session that would keep it waiting, as with SQLite."""

    @wraps(verb)
    def aside(*args: Given.args, **options: Given.kwargs) -> Result:
        session = _session_to_join()
        if session is not None and db.host.is_in_the_way(session):
            return db.host.run(session, lambda: verb(*args, **options))  # type: ignore[no-any-return]
        if session is None:
            return verb(*args, **options)
        # The loader of the host's users must not flush: on SQLite it would wait for the lock that is held here.
        with db.own_work(), session.no_autoflush:
            return verb(*args, **options)

    return aside


def waits(call: Callable[[], Any]) -> bool:
    """Make this call after the commit of a session that is open in another database; False if there is none."""
    session = None if db.host is None or db.is_joined or db.host.is_bystander() else db.host.session()
    if session is None or db.host.can_join(session) or not session.in_transaction():
        return False
    db.host.promise(session, [call])
    return True


def _session_to_join() -> Any:
    host = db.host
    if host is None or db.is_joined or host.is_bystander():
        return None
    session = host.session()
    return session if session is not None and host.can_join(session) else None
