"""Guard: what Notiway asks of a database beyond Peewee. Nothing waits inside SQLite, and its writers take turns."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from time import perf_counter
from typing import Any

import peewee
from playhouse.pool import MaxConnectionsExceeded

from notiway import metrics
from notiway.store.engine.faults import DatabaseUnavailable, raise_translated, translated
from notiway.store.engine.turns import Turns, deadline, is_locked, patiently

log = logging.getLogger(__name__)

REPLACED = ("savepoint", "execute_sql", "connect", "begin", "commit", "rollback", "close", "_run_commit_callbacks")


class Savepoint(peewee._savepoint):
    """A savepoint whose rollback also forgets what it wanted to do after the commit.

    Peewee 4.5 keeps an `after_commit` callback when only the savepoint it was made in rolls back:
    a bell would ring for a notification that is not there.
    """

    def _begin(self) -> None:
        self.mark = len(self.db._state.commit_callbacks)
        super()._begin()  # type: ignore[misc]

    def rollback(self, begin: bool = True) -> None:
        del self.db._state.commit_callbacks[self.mark :]
        super().rollback(begin)


class Guard:
    """Stands before the methods of one database. A host's own database stays the same object, so it is no subclass."""

    def __init__(self, database: peewee.Database, *, lends: bool = False) -> None:
        self.database: Any = database  # its insides are in no stubs
        self.lends = lends  # whether the connection may go back to the pool while somebody waits for something else
        self.plain: dict[str, Callable[..., Any]] = {name: getattr(database, name) for name in REPLACED}
        for name in REPLACED:
            setattr(database, name, getattr(self, name))
        vars(database)["notiway_guard"] = self

    def savepoint(self) -> Savepoint:
        return Savepoint(self.database)

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        started = perf_counter()
        try:
            return self.run(sql, params)
        except (peewee.PeeweeException, MaxConnectionsExceeded) as error:
            raise_translated(error)
        finally:
            metrics.DATABASE_SECONDS.inc(perf_counter() - started)
            metrics.DATABASE_QUERIES.inc()

    def run(self, sql: str, params: Any) -> Any:
        return self.plain["execute_sql"](sql, params)

    def connect(self, reuse_if_open: bool = False) -> bool:
        with translated():
            return bool(self.plain["connect"](reuse_if_open))

    def begin(self, *how: Any) -> None:
        with translated():
            self.plain["begin"](*how)

    def commit(self) -> None:
        with translated():
            self.plain["commit"]()

    def rollback(self) -> None:
        """Nothing if the transaction has ended by itself: an error of the rollback would hide why."""
        if self.is_in_transaction():
            with translated():
                self.plain["rollback"]()

    def close(self) -> bool:
        return bool(self.plain["close"]())

    def _run_commit_callbacks(self) -> None:
        """Run all of them, whatever fails; then raise the first fault, for whoever gave that callback to hear of it."""
        waiting = self.database._state.commit_callbacks
        calls, waiting[:] = list(waiting), []
        first: Exception | None = None
        for call in calls:
            try:
                call()
            except Exception as error:
                log.exception("a callback after the commit failed: what was committed stays; the others go on")
                first = first or error
        if first is not None:
            raise first

    def release(self) -> None:
        """Give the connection back to the pool, where nothing depends on it; the next statement takes one again."""
        state = self.database._state
        if self.lends and not state.closed and not state.transactions and not state.ctx:
            self.database.close()

    def is_in_transaction(self) -> bool:
        """Whether the connection is open, and inside a transaction as far as it can tell."""
        connection = self.database._state.conn
        return connection is not None and not getattr(connection, "closed", False)


class SqliteGuard(Guard):
    """SQLite. Every outermost transaction takes the write lock at its start, and waits for it outside SQLite.

    So ids made inside it are commit-ordered, and no transaction fails half-way with "database is locked". SQLite's
    own wait (`busy_timeout`) would stop every greenlet of the process. Of the writers in this process only one asks
    for the lock; the others stand in line, and where `lends` is set they give their connection back to the pool
    meanwhile. `atomic("DEFERRED")` reads without the lock.
    """

    def __init__(self, database: peewee.Database, *, lends: bool = False) -> None:
        super().__init__(database, lends=lends)
        self.turns = Turns()
        self.lock_type: str = self.database._lock_type or "IMMEDIATE"
        self.database.timeout = 0

    def connect(self, reuse_if_open: bool = False) -> bool:
        # A database that another process creates, recovers or closes is locked for a moment even to readers.
        with translated():
            return patiently(lambda: bool(self.plain["connect"](reuse_if_open)), deadline())

    def begin(self, *how: Any) -> None:
        kind: str = how[0] if how and how[0] else self.lock_type
        if kind.upper() == "DEFERRED" or self._has_turn:  # SQLite refuses the latter: a transaction inside one
            super().begin(kind)
            return
        until = deadline()
        with translated():
            self._take_turn(until)
            try:
                patiently(lambda: self.plain["begin"](kind), until)
            except BaseException:
                self._leave_turn()
                raise

    def commit(self) -> None:
        try:
            # Outside WAL mode, which a host's own database may do without, readers can hold a commit back.
            with translated():
                patiently(self.plain["commit"], deadline())
        except BaseException:
            if not self.is_in_transaction():
                self._leave_turn()
            raise
        self._leave_turn()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._leave_turn()

    def close(self) -> bool:
        closed = super().close()
        self._leave_turn()
        return closed

    def run(self, sql: str, params: Any) -> Any:
        try:
            return super().run(sql, params)
        except peewee.OperationalError as error:
            # Outside a transaction a statement that was refused as a whole may be tried again.
            if not is_locked(error) or self.database.in_transaction() or self._has_turn:
                raise
        until = deadline()
        self._take_turn(until)
        try:
            return patiently(lambda: self.plain["execute_sql"](sql, params), until)
        finally:
            self._leave_turn()

    def is_in_transaction(self) -> bool:
        connection = self.database._state.conn
        try:
            return connection is not None and bool(getattr(connection, "in_transaction", True))
        except sqlite3.ProgrammingError:  # it is closed
            return False

    @property
    def _has_turn(self) -> bool:
        return getattr(self.database._state, "has_turn", False)

    def _take_turn(self, until: float) -> None:
        state = self.database._state
        if self.turns.take():
            state.has_turn = True
            return
        opened_by = self._lend()
        if not self.turns.wait(until):
            raise DatabaseUnavailable(
                "The database is locked. Try again in a few seconds.",
                f"{len(self.turns)} other writers of this process wait for the lock too: look for a long transaction",
            )
        state.has_turn = True
        if opened_by is not None:
            self._borrow(opened_by)

    def _leave_turn(self) -> None:
        if self._has_turn:
            self.database._state.has_turn = False
            self.turns.leave()

    def _lend(self) -> list[Any] | None:
        """Give the connection back to the pool while this writer stands in line; the `with` blocks that opened it."""
        state = self.database._state
        if not self.lends or state.closed or state.transactions:
            return None
        connection, state.conn, state.closed = state.conn, None, True
        self.database._close(connection)
        return list(state.ctx)

    def _borrow(self, opened_by: list[Any]) -> None:
        try:
            self.database.connect()
        except BaseException:
            self._leave_turn()
            raise
        finally:
            self.database._state.ctx = opened_by  # they close the connection when they end


def guard_of(database: peewee.Database) -> Guard | None:
    """The guard that stands before this database, if one does."""
    return getattr(database, "notiway_guard", None)
