"""Guard: what Notiway asks of any database beyond Peewee: faults with their reason, callbacks that harm no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, perf_counter
from typing import Any

import peewee
from playhouse.pool import MaxConnectionsExceeded

from notiway import metrics
from notiway.pausing import pause
from notiway.store.engine.faults import SERVER, DatabaseUnavailable, raise_translated, translated

log = logging.getLogger(__name__)

REPLACED = ("savepoint", "execute_sql", "connect", "begin", "commit", "rollback", "close", "_run_commit_callbacks")

POOL_RETRY_SECONDS = 0.02
ALONE_SECONDS = 600.0
ALONE_RETRY_SECONDS = 0.1


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
        self.on_doubt: Callable[[], None] | None = None  # nobody knows whether a transaction was committed
        self.plain: dict[str, Callable[..., Any]] = {name: getattr(database, name) for name in REPLACED}
        for name in REPLACED:
            setattr(database, name, getattr(self, name))
        vars(database)["notiway_guard"] = self

    def savepoint(self) -> Savepoint:
        # Named by its depth: a name of its own would be a new statement, and push one out of the driver's cache.
        return Savepoint(self.database, f"notiway_{self.database.transaction_depth()}")

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        started = perf_counter()
        try:
            return self.run(sql, params)
        except (peewee.PeeweeException, MaxConnectionsExceeded, OverflowError, UnicodeEncodeError) as error:
            raise_translated(error)
        finally:
            metrics.DATABASE_SECONDS.inc(perf_counter() - started)
            metrics.DATABASE_QUERIES.inc()

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The same statement for each of these rows, inside a transaction; it counts as one."""
        started = perf_counter()
        try:
            with peewee.__exception_wrapper__:  # type: ignore[attr-defined]  # as `execute_sql` does
                self.database.cursor().executemany(sql, rows)
        except (peewee.PeeweeException, OverflowError, UnicodeEncodeError) as error:
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

    def connect_within(self, seconds: float) -> None:
        """Have a connection; if the pool has none, wait for so long, which is less than a request would."""
        until = monotonic() + seconds
        while self.database.is_closed():
            try:
                peewee.Database.connect(self.database)  # a pool's own `connect` would wait
            except (peewee.PeeweeException, MaxConnectionsExceeded) as error:
                if not isinstance(error, MaxConnectionsExceeded) or monotonic() > until:
                    raise_translated(error)
                pause(POOL_RETRY_SECONDS)

    def try_to_write(self) -> float:
        """Raise `DatabaseUnavailable` if nothing can be written; else for how many seconds others have kept us from it.

        Changes nothing, and does not wait.
        """
        if "on" in self.database.execute_sql("SHOW transaction_read_only").fetchone():
            raise DatabaseUnavailable("The database is not available.", f"it only reads ({SERVER})")
        return 0.0

    def has_moved(self) -> bool:
        """Whether the database's file is no longer the one that was opened."""
        return False

    @contextmanager
    def unhurried(self) -> Iterator[None]:
        """Inside, a statement may take as long as it needs: a migration, or a copy of all rows."""
        yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Inside, no other process changes the tables, where the database can see to that.

        `DatabaseUnavailable` where another one has not finished within `ALONE_SECONDS`.
        """
        yield

    def release(self) -> None:
        """Give the connection back to the pool, where nothing depends on it; the next statement takes one again."""
        state = self.database._state
        if self.lends and not state.closed and not state.transactions and not state.ctx:
            self.database.close()

    def is_in_transaction(self) -> bool:
        """Whether the connection is open, and inside a transaction as far as it can tell."""
        connection = self.database._state.conn
        return connection is not None and not getattr(connection, "closed", False)


def still_busy() -> DatabaseUnavailable:
    """What is raised when another process changes the tables for too long."""
    reason = f"another process has been migrating for {ALONE_SECONDS:g} s: see that it has not stopped half-way"
    return DatabaseUnavailable("The tables are being changed.", reason)


def guard_of(database: peewee.Database) -> Guard | None:
    """The guard that stands before this database, if one does."""
    return getattr(database, "notiway_guard", None)
