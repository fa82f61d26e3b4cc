"""Opening the database: pool, pragmas, and the transaction rules that Notiway relies on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Any
from urllib.parse import urlsplit

import peewee
from playhouse.db_url import connect as connect_by_url
from playhouse.pool import PooledSqliteDatabase

from notiway import metrics

LOCK_WAIT_SECONDS = 10  # how long a transaction waits for SQLite's one writer
LOCK_RETRY_SECONDS = 0.005
BUSY_TIMEOUT_SECONDS = 0.05  # SQLite's own wait blocks the process, so it is short and we retry
POOL_WAIT_SECONDS = 10
STALE_SECONDS = 300
SQLITE_PRAGMAS = {
    "journal_mode": "wal",  # readers never wait for the writer
    "synchronous": "normal",  # in WAL mode safe against a crash of the process
    "foreign_keys": 1,
    "cache_size": -16_000,  # KiB, negative by SQLite's convention
    "temp_store": "memory",
    "mmap_size": 128 * 1024 * 1024,
}


class _Savepoint(peewee._savepoint):
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


class _Proxy(peewee.DatabaseProxy):
    """The database that is bound, or will be. Peewee's own proxy makes its savepoints itself."""

    def savepoint(self) -> _Savepoint:
        return _Savepoint(self)


db = _Proxy()


class Table(peewee.Model):
    """The base of every table in this database, the host's own ones too."""

    class Meta:
        database = db
        legacy_table_names = False


def _prepare(database: peewee.Database) -> peewee.Database:
    database.savepoint = lambda: _Savepoint(database)  # type: ignore[method-assign]
    execute: Callable[..., Any] = database.execute_sql
    takes_turns = isinstance(database, peewee.SqliteDatabase)

    def timed(sql: str, params: Any = None) -> Any:
        started = perf_counter()
        try:
            return execute(sql, params)
        except peewee.OperationalError as error:
            # Outside a transaction a statement that was refused as a whole may be tried again.
            if not takes_turns or not _is_locked(error) or database.in_transaction():
                raise
            return _patiently(lambda: execute(sql, params))
        finally:
            metrics.DATABASE_SECONDS.inc(perf_counter() - started)
            metrics.DATABASE_QUERIES.inc()

    if isinstance(database, peewee.SqliteDatabase):
        _take_turns(database)
    database.execute_sql = timed  # type: ignore[method-assign]
    return database


def _take_turns(database: peewee.SqliteDatabase) -> None:
    """Every outermost transaction takes SQLite's write lock at its start, and waits for it.

    So ids made inside it are commit-ordered, and no transaction fails half-way with "database is locked".
    """
    begin = database.begin

    def begin_immediate(lock_type: str | None = None) -> None:
        _patiently(lambda: begin(lock_type or "IMMEDIATE"))

    database.begin = begin_immediate  # type: ignore[method-assign]


def _patiently(work: Callable[[], Any]) -> Any:
    """Try again while another connection writes; under gevent other greenlets run on meanwhile."""
    deadline = monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            return work()
        except peewee.OperationalError as error:
            if not _is_locked(error) or monotonic() > deadline:
                raise
        sleep(LOCK_RETRY_SECONDS)


def _is_locked(error: peewee.OperationalError) -> bool:
    return "locked" in str(error)


def open_database(url: str, pool: int = 20) -> peewee.Database:
    """A pooled database for an URL: `sqlite:///path/file.db` or `postgresql://user@host/name`.

    `pool` is the number of connections at most; a caller waits up to 10 s for a free one.
    """
    parts = urlsplit(url)
    options = {"max_connections": pool, "stale_timeout": STALE_SECONDS, "timeout": POOL_WAIT_SECONDS}
    if parts.scheme == "sqlite":
        path = parts.path[1:]
        if path and path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        database = PooledSqliteDatabase(path or ":memory:", pragmas=SQLITE_PRAGMAS, check_same_thread=False, **options)
        database.timeout = BUSY_TIMEOUT_SECONDS
        return _prepare(database)
    name = "postgresql+pool" + url[len(parts.scheme) :]
    return _prepare(connect_by_url(name, **options))


def use_database(database: peewee.Database) -> None:
    """Bind Notiway's models to an open database."""
    db.initialize(database)


def adopt(database: peewee.Database) -> peewee.Database:
    """Take a host application's own Peewee database, with the same transaction rules."""
    return _prepare(database.obj if isinstance(database, peewee.Proxy) else database)
