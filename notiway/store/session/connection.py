"""Connection: a Peewee database whose connection is the one that a SQLAlchemy session works on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import peewee

from notiway.store.engine.faults import DatabaseUnavailable, translated
from notiway.store.engine.guard import Guard
from notiway.store.engine.sqlite_guard import LOWER, lower
from notiway.store.engine.turns import deadline, patiently

OUTDATED = 517  # SQLITE_BUSY_SNAPSHOT: waiting does not help, for what this transaction has read is old
HOSTS = object()  # stands in Peewee's list for the session's transaction, so that ours are savepoints


class SessionGuard(Guard):
    """Begins, commits and closes nothing: the session does. `hold` says on which connection statements run."""

    def __init__(self, database: peewee.Database) -> None:
        super().__init__(database)
        self.promise: Callable[[Callable[[], Any]], None] | None = None  # takes calls that no verb's `used` gathers
        self.database.after_commit = self.after_commit

    def hold(self, raw: Any) -> None:
        """Use this connection of the driver, in this thread or greenlet, until `let_go`."""
        state = self.database._state
        if state.conn is raw:
            return
        state.set_connection(raw)
        state.transactions = [HOSTS]
        if not self.database.server_version:
            self.database._set_server_version(raw)

    def let_go(self) -> None:
        """Forget the connection, without closing it."""
        self.database._state.reset()

    @contextmanager
    def used(self, raw: Any) -> Iterator[None]:
        """Inside, statements run on this connection, and what is to be done after the commit is gathered."""
        self.hold(raw)
        state = self.database._state
        state.gathers = True
        try:
            yield
        finally:
            state.gathers = False
            self.let_go()

    def take_calls(self) -> list[Callable[[], Any]]:
        """What is to be done after the commit; it is forgotten here."""
        waiting = self.database._state.commit_callbacks
        calls, waiting[:] = list(waiting), []
        return calls

    def has_lost(self, raw: Any) -> bool:
        """Whether the database has ended the transaction by itself, as SQLite does when the disk is full."""
        del raw
        return False

    def after_commit(self, call: Callable[[], Any]) -> Any:
        """Gather it for whoever runs the verb; where nobody does, it is promised at once."""
        state = self.database._state
        if self.promise is None or getattr(state, "gathers", False):
            state.commit_callbacks.append(call)
        else:
            self.promise(call)
        return call

    def connect(self, reuse_if_open: bool = False) -> bool:
        del reuse_if_open
        return False

    def begin(self, *how: Any) -> None:
        pass

    def commit(self) -> None:
        pass

    def rollback(self) -> None:
        pass

    def close(self) -> bool:
        return False

    def _run_commit_callbacks(self) -> None:
        pass


class SqliteSessionGuard(SessionGuard):
    """Nothing of Notiway's waits inside SQLite, where it would stop every greenlet of the process."""

    def hold(self, raw: Any) -> None:
        if self.database._state.conn is not raw:
            raw.create_function(LOWER, 1, lower)
        if not raw.in_transaction:
            # Python's driver begins before INSERT, UPDATE and DELETE, and not before SAVEPOINT: a savepoint that is
            # released outside of a transaction is committed.
            with translated(), peewee.__exception_wrapper__:  # type: ignore[attr-defined]
                patiently(lambda: raw.execute("BEGIN IMMEDIATE"), deadline())
        super().hold(raw)

    @contextmanager
    def used(self, raw: Any) -> Iterator[None]:
        (patience_ms,) = raw.execute("PRAGMA busy_timeout").fetchone()
        raw.execute("PRAGMA busy_timeout = 0")
        try:
            with super().used(raw):
                yield
        finally:
            raw.execute(f"PRAGMA busy_timeout = {int(patience_ms)}")

    def run(self, sql: str, params: Any) -> Any:
        return patiently(lambda: self._try(sql, params), deadline())

    def _try(self, sql: str, params: Any) -> Any:
        try:
            return super().run(sql, params)
        except peewee.OperationalError as error:
            if getattr(getattr(error, "orig", None), "sqlite_errorcode", 0) == OUTDATED:
                raise DatabaseUnavailable(
                    "Another transaction was in the way. Try again in a few seconds.",
                    "this transaction had read before another one wrote: begin it with BEGIN IMMEDIATE, or read less",
                ) from error
            raise

    def has_lost(self, raw: Any) -> bool:
        return not raw.in_transaction


def open_for(dialect: str) -> peewee.Database:
    """A database for the connections of sessions, of SQLAlchemy's dialect `sqlite` or `postgresql`; it opens none."""
    if dialect == "sqlite":
        database: peewee.Database = peewee.SqliteDatabase(":memory:")
        SqliteSessionGuard(database)
    else:
        database = peewee.PostgresqlDatabase("the session's own", prefer_psycopg3=True)
        SessionGuard(database)
    return database
