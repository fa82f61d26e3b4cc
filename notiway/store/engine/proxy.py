"""Proxy: the one name under which Notiway's queries know the database, whichever application they run for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import get_ident
from typing import Any
from weakref import WeakSet

import peewee

log = logging.getLogger(__name__)

Find = Callable[[], peewee.Database | None]

# For the verb that runs here, the database on the connection of the host's SQLAlchemy session (store/session).
# Each is with the thread or greenlet that it is of: gevent's inherit the context of whoever spawns them.
_joined: ContextVar[tuple[int, peewee.Database] | None] = ContextVar("notiway_joined", default=None)
_own_work: ContextVar[int] = ContextVar("notiway_own_work", default=0)  # no part of a host's transaction


class Proxy(peewee.DatabaseProxy):
    """The database of the application whose context this is; without a context the one that was bound last.

    A process may hold several applications, each with its own database: a notification must not land in another's.
    A transaction stays with the database that it began on, whatever contexts lie inside it.
    """

    def __init__(self) -> None:
        object.__setattr__(self, "_last", None)
        object.__setattr__(self, "_bound", WeakSet())
        object.__setattr__(self, "_are_several", False)  # or have been
        object.__setattr__(self, "_have_sessions", False)  # some of them share the transactions of SQLAlchemy sessions
        object.__setattr__(self, "_find", lambda: None)
        super().__init__()

    @property
    def obj(self) -> Any:
        if not (self._have_sessions or self._are_several):  # as nearly everywhere: it costs nothing
            return self._last
        if self._have_sessions:
            joined = self._joined_here()
            if joined is None and (host := self.host) is not None:
                joined = host.only_way()
            if joined is not None:
                return joined
        return self.own

    @obj.setter
    def obj(self, database: peewee.Database | None) -> None:
        object.__setattr__(self, "_last", database)
        if database is not None:
            self._bound.add(database)
            object.__setattr__(self, "_are_several", len(self._bound) > 1)

    @property
    def own(self) -> Any:
        """The application's database by its own pool, whatever session a verb has joined."""
        if self._are_several:
            found = self._find()
            if found is not None:
                return found
        return self._last

    @property
    def host(self) -> Any:
        """The `HostSession` of the current application, where it has one."""
        return getattr(self.own, "notiway_session", None) if self._have_sessions else None

    def share(self, database: peewee.Database, host: Any) -> None:
        """From now on the verbs of the application with this database join the sessions of `host`."""
        vars(database)["notiway_session"] = host
        object.__setattr__(self, "_have_sessions", True)

    @contextmanager
    def joined(self, database: peewee.Database) -> Iterator[None]:
        """Inside, all statements run on this database: that of a session's connection."""
        token = _joined.set((get_ident(), database))
        try:
            yield
        finally:
            _joined.reset(token)

    @property
    def is_joined(self) -> bool:
        return self._joined_here() is not None

    def _joined_here(self) -> peewee.Database | None:
        found = _joined.get()
        return found[1] if found is not None and found[0] == get_ident() else None

    @property
    def is_own_work(self) -> bool:
        """Whether Notiway does something by itself, which no session of the host's is to wait for or to undo."""
        return _own_work.get() == get_ident()

    @contextmanager
    def own_work(self) -> Iterator[None]:
        token = _own_work.set(get_ident())
        try:
            yield
        finally:
            _own_work.reset(token)

    def follow(self, find: Find) -> None:
        """Ask `find` for the database of the current application; it returns None outside of any."""
        object.__setattr__(self, "_find", find)

    def after_commit(self, call: Callable[[], Any]) -> None:
        """Run this after the outermost commit. A fault of it is logged: what was committed stays committed.

        Whoever was told of the fault would take the whole for failed, and do it again.
        """

        def ring() -> None:
            try:
                call()
            except Exception:
                log.exception("it is stored, but not everybody was told; clients see it when they reconnect")

        self.obj.after_commit(ring)

    def atomic(self, *args: Any, **options: Any) -> Any:
        return self.obj.atomic(*args, **options)

    def transaction(self, *args: Any, **options: Any) -> Any:
        return self.obj.transaction(*args, **options)

    def savepoint(self) -> Any:
        return self.obj.savepoint()

    def manual_commit(self) -> Any:
        return self.obj.manual_commit()

    def connection_context(self) -> Any:
        """Inside, a connection of the pool is held: for what live connections and background work do by themselves."""
        return self._connected()

    @contextmanager
    def _connected(self) -> Iterator[None]:
        with self.own_work(), self.obj.connection_context():
            yield
