"""Opening the database: pool, pragmas, and the transaction rules that Notiway relies on."""

from __future__ import annotations

import threading
from pathlib import Path
from urllib.parse import urlsplit

import peewee
from playhouse.pool import PooledSqliteDatabase

from notiway.store.engine import aside, checkpoints, private_files, server_address
from notiway.store.engine.guard import Guard, guard_of
from notiway.store.engine.pool import Pool
from notiway.store.engine.postgres_guard import PostgresGuard
from notiway.store.engine.proxy import Proxy
from notiway.store.engine.server_address import PATIENCE, Patience
from notiway.store.engine.sqlite_guard import SqliteGuard
from notiway.values.errors import ConfigError, Fault

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


db = Proxy()


class Table(peewee.Model):
    """The base of every table in this database, the host's own ones too."""

    class Meta:
        database = db
        legacy_table_names = False


def open_database(url: str, pool: int = 20, patience: Patience = PATIENCE) -> peewee.Database:
    """A pooled database for an URL: `sqlite:///path/file.db` or `postgresql://user:password@host/name?sslmode=…`.

    `pool` is the number of connections at most; a caller waits up to 10 s for a free one. `patience` is that of a
    PostgreSQL server. `ConfigError` for an URL that PostgreSQL's own library does not understand.
    """
    parts = urlsplit(url) if url.startswith("sqlite") else None
    options = {"max_connections": pool, "stale_timeout": STALE_SECONDS, "timeout": POOL_WAIT_SECONDS}
    if parts is not None:
        path = parts.path[1:]
        if path and path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            private_files.create(Path(path))
        is_file = path not in ("", ":memory:")
        own = checkpoints.of(path) if is_file else None
        pragmas = SQLITE_PRAGMAS | ({} if own is None else {"wal_autocheckpoint": checkpoints.AT_LATEST_PAGES})
        database: peewee.Database = PooledSqliteDatabase(
            path or ":memory:", pragmas=pragmas, check_same_thread=False, **options
        )
        SqliteGuard(database, lends=is_file, checkpoints=own, aside=aside.of() if is_file else None)
        return database
    name, address = server_address.read(url, patience)
    # A host may have psycopg2 too, which Peewee would prefer, and which stops every greenlet while it waits.
    database = Pool(name, prefer_psycopg3=True, **options, **address)
    PostgresGuard(database, lends=True)
    return database


def use_database(database: peewee.Database) -> None:
    """Bind Notiway's models to an open database."""
    db.initialize(database)


def adopt(database: peewee.Database) -> peewee.Database:
    """Take a host application's own Peewee database, with the same transaction rules; a second call changes nothing."""
    own: peewee.Database = database.obj if isinstance(database, peewee.Proxy) else database
    if guard_of(own) is None:
        kinds = {peewee.SqliteDatabase: SqliteGuard, peewee.PostgresqlDatabase: PostgresGuard}
        kind = next((guard for known, guard in kinds.items() if isinstance(own, known)), Guard)
        kind(own)
    return own


def release() -> None:
    """Hold no connection of Notiway's own pool while something else is waited for, such as a request's body."""
    rules = guard_of(db.obj)
    if rules is not None:
        rules.release()


def check_greenlets() -> None:
    """`ConfigError` where gevent came after Peewee: every greenlet would use the same connection and transaction."""
    if not issubclass(peewee._ConnectionLocal, threading.local):
        advice = "start gunicorn without --preload (preload_app), or call gevent.monkey.patch_all() before all imports"
        raise ConfigError(
            "gevent replaced the threads of this process after Notiway was loaded", [Fault("preload", advice)]
        )
