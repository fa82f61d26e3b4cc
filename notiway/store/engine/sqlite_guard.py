"""The guard of a SQLite database: nothing waits inside SQLite, and its writers take turns."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import peewee

from notiway.pausing import pause
from notiway.store.engine import guard
from notiway.store.engine.aside import Aside
from notiway.store.engine.checkpoints import Checkpoints
from notiway.store.engine.faults import DatabaseUnavailable, translated
from notiway.store.engine.file_lock import locked
from notiway.store.engine.guard import Guard, still_busy
from notiway.store.engine.private_files import file_of
from notiway.store.engine.turns import Turns, deadline, is_locked, patiently

MIGRATING = ".migrating"  # of the file beside the database whose lock is held by whoever changes the tables
MANY_ROWS = 200  # changed in one transaction: from so many on its commit may write for tens of milliseconds
LOWER = "notiway_lower"  # a function for statements: every letter in its small form, which SQLite's own knows of ASCII


class SqliteGuard(Guard):
    """SQLite. Every outermost transaction takes the write lock at its start, and waits for it outside SQLite.

    So ids made inside it are commit-ordered, and no transaction fails half-way with "database is locked". SQLite's
    own wait (`busy_timeout`) would stop every greenlet of the process. Of the writers in this process only one asks
    for the lock; the others stand in line, and where `lends` is set they give their connection back to the pool
    meanwhile. `atomic("DEFERRED")` reads without the lock. The commit of a large transaction goes `aside`.
    """

    def __init__(
        self,
        database: peewee.Database,
        *,
        lends: bool = False,
        checkpoints: Checkpoints | None = None,
        aside: Aside | None = None,
    ) -> None:
        super().__init__(database, lends=lends)
        self.checkpoints = checkpoints
        self.aside = aside
        self._changes_before = 0  # rows that the connection of whoever has the turn had changed before
        self.turns = Turns()
        self.refused_at: float | None = None  # when a look first met the lock that it met last
        self.file: tuple[int, int] | None = None  # device and inode of what was opened first
        self.lock_type: str = self.database._lock_type or "IMMEDIATE"
        self.database.timeout = 0
        self.database.register_function(lower, LOWER, 1)

    def connect(self, reuse_if_open: bool = False) -> bool:
        # A database that another process creates, recovers or closes is locked for a moment even to readers.
        with translated():
            opened = patiently(lambda: bool(self.plain["connect"](reuse_if_open)), deadline())
        self.file = self.file or identity(self.database.database)
        return opened

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
        if self.aside is not None:
            self._changes_before = self.database._state.conn.total_changes
        self.refused_at = None

    def commit(self) -> None:
        try:
            # Outside WAL mode, which a host's own database may do without, readers can hold a commit back.
            with translated():
                patiently(self._commit, deadline())
        except BaseException:
            if not self.is_in_transaction():
                self._leave_turn()
            raise
        self._leave_turn()
        if self.checkpoints is not None:
            self.checkpoints.note()

    def _commit(self) -> None:
        connection = self.database._state.conn
        if self.aside is None or not self._has_turn or connection.total_changes - self._changes_before < MANY_ROWS:
            self.plain["commit"]()
        else:
            with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
                self.aside(lambda: connection.execute("COMMIT"))

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

    def try_to_write(self) -> float:
        try:
            with translated():
                self.plain["begin"]("IMMEDIATE")
                self.plain["rollback"]()
        except DatabaseUnavailable as error:
            if not is_locked(error):
                raise
            self.refused_at = self.refused_at or monotonic()
            return monotonic() - self.refused_at
        self.refused_at = None
        return 0.0

    @contextmanager
    def alone(self) -> Iterator[None]:
        file = file_of(self.database)
        if file is None:
            yield
            return
        with locked(file.with_name(file.name + MIGRATING), guard.ALONE_SECONDS, guard.ALONE_RETRY_SECONDS) as is_ours:
            if not is_ours:
                raise still_busy()
            yield

    def has_moved(self) -> bool:
        return self.file is not None and self.file != identity(self.database.database)

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
        try:
            # Else gevent would serve the whole line, one writer after the other, before it looks at a socket.
            pause()
        except BaseException:  # a greenlet that is killed while it pauses
            self._leave_turn()
            raise
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


def identity(path: object) -> tuple[int, int] | None:
    """Which file lies there: the same path may lead to another one later. None if there is none."""
    try:
        found = Path(str(path)).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text
