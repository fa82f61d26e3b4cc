"""Host session: the SQLAlchemy sessions of the application, and Notiway's part in their transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar
from weakref import ref

import peewee
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, SessionTransaction, scoped_session, sessionmaker

from notiway.store.database import db
from notiway.store.engine.guard import guard_of
from notiway.store.log import pulling
from notiway.store.session import autogenerate, patience, pending
from notiway.store.session.connection import SessionGuard, open_for
from notiway.store.session.engines import Place, place_of
from notiway.store.session.joining import Surroundings
from notiway.values.errors import ConfigError, Fault

Result = TypeVar("Result")

WRONG = "give `sqlalchemy` Flask-SQLAlchemy's SQLAlchemy object, a scoped_session, a sessionmaker or a Session"
UNBOUND = "has no engine yet: bind it to one, or call db.init_app(app) first, then give it to Notiway"


class HostSession:
    """The session that the host's code works with here and now, however the application makes its sessions."""

    def __init__(self, given: Any, place: Place, surroundings: Surroundings) -> None:
        self._given = given
        self._place = place
        self._around = surroundings
        self._chosen: ContextVar[Session | None] = ContextVar("notiway_chosen", default=None)
        self._open: ContextVar[tuple[ref[Session], ...]] = ContextVar("notiway_open", default=())
        if place.shares:
            self.database: peewee.Database = open_for(place.dialect)
            self._guard: SessionGuard = vars(self.database)["notiway_guard"]
            self._guard.promise = self._promise_one
        if isinstance(given, sessionmaker):
            event.listen(given, "after_transaction_create", self._note)

    def session(self) -> Session | None:
        """The host's session of this place; None where a `sessionmaker` was given and nobody has begun anything."""
        chosen = self._chosen.get()
        if chosen is not None:
            return chosen
        given = self._given
        if isinstance(given, Session):
            return given
        if isinstance(given, sessionmaker):
            return next((each for each in self._begun() if each.in_transaction()), None)
        found: Session = given() if isinstance(given, scoped_session) else given.session()
        return found

    @contextmanager
    def chosen(self, session: Session) -> Iterator[None]:
        """Inside, this is the session that is joined."""
        token = self._chosen.set(session)
        try:
            yield
        finally:
            self._chosen.reset(token)

    def is_bystander(self) -> bool:
        """Whether what runs now is work of Notiway's own: its pages, commands, sockets and background work."""
        return db.is_own_work or self._around.is_bystander()

    def can_join(self, session: Session) -> bool:
        """Whether our statements can be part of the session's transaction."""
        if not self._place.shares:
            return False
        raw = _driver_connection(session)
        return getattr(raw, "autocommit", False) is not True  # else there is no transaction

    def is_in_the_way(self, session: Session) -> bool:
        """Whether the session holds SQLite's write lock, for which our own pool would wait in vain."""
        if self._place.dialect != "sqlite" or not session.in_transaction():
            return False
        return bool(_driver_connection(session).in_transaction)

    def run(self, session: Session, work: Callable[[], Result]) -> Result:
        """Do it on the session's connection, as a savepoint; what is to be told is told after the session's commit.

        What the host has added is flushed before, as by a query, so that a new user is found. Inside nothing is: what
        the loader of the host's users flushed in our savepoint would be lost where the verb fails.
        """
        if session.autoflush and not session._flushing:
            session.flush()
        raw = _driver_connection(session)
        with session.no_autoflush, self._guard.used(raw), db.joined(self.database):
            try:
                with self.database.atomic():
                    result = work()
            except BaseException:
                if self._guard.has_lost(raw):
                    session.connection().invalidate()  # else the host would commit half of what it did
                raise
            calls = self._guard.take_calls()
        self.promise(session, calls, partial(self._doubt, raw))
        return result

    def promise(
        self, session: Session, calls: Sequence[Callable[[], Any]], doubt: Callable[[], Any] | None = None
    ) -> None:
        """Make these calls after the session's commit, in the application's context."""
        pending.promise(session, [partial(self._tell, call) for call in calls], doubt)

    def only_way(self) -> peewee.Database | None:
        """The database by the session's connection, where no pool of ours sees what the session wrote.

        That is SQLite in memory, and a session that is bound to a connection, as in tests that roll everything back.
        """
        if not self._place.shares or not (self._place.in_memory or self._around.is_tested()):
            return None
        session = self.session()
        if session is None or not (self._place.in_memory or isinstance(session.get_bind(), Connection)):
            return None
        self._guard.hold(_driver_connection(session))
        return self.database

    def finish(self) -> None:
        """Commit what a page of Notiway's own wrote, where it had no other way than the session."""
        session = None if self.only_way() is None else self.session()
        if session is not None:
            session.commit()

    def _promise_one(self, call: Callable[[], Any]) -> None:
        session = self.session()
        if session is not None:
            self.promise(session, [call])

    def _doubt(self, raw: Any) -> None:
        """Where the line to PostgreSQL broke, the server may have committed without our hearing of it."""
        with self._around.inside():
            rules = guard_of(db.own)
            if getattr(raw, "broken", False) and rules is not None and rules.on_doubt is not None:
                rules.on_doubt()

    def _tell(self, call: Callable[[], Any]) -> None:
        with self._around.inside(), db.own_work():
            call()

    def _note(self, session: Session, transaction: SessionTransaction) -> None:
        if transaction.parent is None:
            others = [each for each in self._begun() if each is not session and each.in_transaction()]
            self._open.set((ref(session), *map(ref, others)))

    def _begun(self) -> list[Session]:
        """The sessions that were begun in this thread or greenlet, the last one first."""
        return [each for each in (found() for found in self._open.get()) if each is not None]


def engine_of(given: Any) -> Engine:
    """The engine behind what was given as `sqlalchemy`; `ConfigError` where there is none."""
    if isinstance(given, scoped_session):
        given = given.session_factory
    try:
        if isinstance(given, sessionmaker):
            bind = given.kw.get("bind")
        elif isinstance(given, Session):
            bind = given.get_bind()
        elif hasattr(given, "session") and hasattr(given, "engine"):
            bind = given.engine
        else:
            raise ConfigError("Notiway cannot start", [Fault("sqlalchemy", WRONG)])
    except (RuntimeError, SQLAlchemyError) as error:
        raise ConfigError("Notiway cannot start", [Fault("sqlalchemy", UNBOUND)]) from error
    if bind is None:
        raise ConfigError("Notiway cannot start", [Fault("sqlalchemy", UNBOUND)])
    found: Engine = bind.engine
    return found


def share(own: peewee.Database, given: Any, place: Place, surroundings: Surroundings) -> HostSession:
    """Let the verbs of the application whose own pool this is join its sessions."""
    host = HostSession(given, place, surroundings)
    db.share(own, host)
    autogenerate.leave_tables_alone()
    if place.shares:
        pulling.keep_backlog(host.database, pulling.backlog_of(own))
    return host


def place_beside(given: Any, configured: str) -> Place:
    """Where Notiway's rows go beside what was given as `sqlalchemy`."""
    engine = engine_of(given)
    place = place_of(engine, configured)
    if place.shares and place.dialect == "sqlite":
        patience.let_others_run(engine)
    return place


def _driver_connection(session: Session) -> Any:
    return session.connection().connection.dbapi_connection
