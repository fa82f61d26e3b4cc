"""Faults: which errors of Peewee and its drivers mean that the database cannot answer for now, and what to do then."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import peewee
from playhouse.pool import MaxConnectionsExceeded

from notiway.values.errors import Unavailable, WrongInput

CANNOT_STORE = "A value has characters, a length or a size that cannot be stored"
RESTORE = "the file is damaged: stop the server and restore a backup (docs/how-to/operate.md)"
# By SQLite's primary result code (https://sqlite.org/rescode.html); SQLITE_ERROR, 1, is a fault of the program.
SQLITE_REMEDIES = {
    5: "another process holds the write lock: look for a long transaction, a cleanup or a migration",
    6: "another connection of this process holds the lock",
    7: "this process has no memory left",
    8: "let this process write to the file and its folder",
    10: "look at the disk, and at who may read and write the file and its folder",
    11: RESTORE,
    13: "the disk is full: make room",
    14: "see that the file's folder exists and that this process may write there",
    15: "look at the file system: SQLite cannot lock the file on it",
    26: RESTORE,
}
LOCKED = (5, 6)
# PostgreSQL's error codes (https://www.postgresql.org/docs/current/errcodes-appendix.html)
READ_ONLY = "25006"  # on a standby
# Text that is too long, a number out of range, characters that the database's encoding has not.
REFUSED = ("22001", "22003", "22021", "22P05")
CONFLICTS = ("40P01", "40001")  # a deadlock, a serialization failure: one of two transactions had to give way
TOOK_TOO_LONG = {
    "57014": "a statement took longer than NOTIWAY_DATABASE_STATEMENT_SECONDS: look for what keeps the server busy",
    "55P03": "a lock was not free within NOTIWAY_DATABASE_LOCK_SECONDS: look for a long transaction or a migration",
    "25P03": "a transaction did nothing for NOTIWAY_DATABASE_IDLE_SECONDS, so the server ended it",
}
FULL = "53300"  # all connections that the server allows are in use
COLLIDED = "look for what changes the same rows in another order"
SERVER = "see that the database server runs, takes connections and is no standby; its log says more"
POOL = (
    "all connections of this process are in use: look for slow requests, or raise NOTIWAY_DATABASE_POOL"
    " (as far as the server allows)"
)

ROOM = "raise the server's max_connections, or lower NOTIWAY_DATABASE_POOL of the processes that share it"


class DatabaseUnavailable(Unavailable, peewee.OperationalError):
    """The database is locked, full, damaged or away. For those who catch Peewee's errors it is one."""


class RefusedValue(WrongInput, peewee.DataError):
    """A value that the database cannot take in any statement. For those who catch Peewee's errors it is one."""


def unavailable(error: BaseException) -> DatabaseUnavailable | None:
    """What a client is told instead, with the reason for the log; None for an error that trying again does not help.

    >>> unavailable(MaxConnectionsExceeded("timed out")).message
    'All connections to the database are in use. Try again in a few seconds.'
    """
    if isinstance(error, DatabaseUnavailable):
        return error
    if isinstance(error, MaxConnectionsExceeded):
        return _told("All connections to the database are in use", error, POOL)
    driver = getattr(error, "orig", error)
    if isinstance(driver, sqlite3.Error):
        code = getattr(driver, "sqlite_errorcode", 0) & 0xFF
        if code not in SQLITE_REMEDIES:
            return None
        what = "The database is locked" if code in LOCKED else "The database is not available"
        return _told(what, error, SQLITE_REMEDIES[code])
    if getattr(driver, "sqlstate", None) in CONFLICTS:
        return _told("Another transaction was in the way", error, COLLIDED)
    code = getattr(driver, "sqlstate", None) or ""
    if code in TOOK_TOO_LONG:
        return _told("The database took too long", error, TOOK_TOO_LONG[code])
    if code == FULL:
        return _told("All connections to the database are in use", error, ROOM)
    is_away = isinstance(error, peewee.OperationalError | peewee.InterfaceError)
    if driver is not error and (is_away or code == READ_ONLY):
        return _told("The database is not available", error, SERVER)
    return None


def refused(error: Exception) -> RefusedValue | None:
    """What a client is told of a value that cannot be stored or looked for; None for any other error.

    The places that check their input first say more; this one sees to it that no route answers 500 for a value.

    >>> refused(OverflowError("Python int too large to convert to SQLite INTEGER")).status
    400
    """
    if isinstance(error, OverflowError | UnicodeEncodeError):  # drivers raise them as they are
        return RefusedValue(CANNOT_STORE)
    driver = getattr(error, "orig", None)
    if not isinstance(error, peewee.DataError) or driver is None:
        return None
    code = getattr(driver, "sqlstate", None)
    # Without a code the driver has refused it, before the server could: NUL in text.
    return RefusedValue(CANNOT_STORE) if code is None or code in REFUSED else None


def is_conflict(error: BaseException) -> bool:
    """Whether a transaction was ended in favour of another one, so that the same may succeed now."""
    driver = getattr(error.__cause__ if isinstance(error, DatabaseUnavailable) else error, "orig", None)
    return getattr(driver, "sqlstate", None) in CONFLICTS


@contextmanager
def translated() -> Iterator[None]:
    """Raise `DatabaseUnavailable` in place of what means that."""
    try:
        yield
    except (peewee.PeeweeException, MaxConnectionsExceeded) as error:
        raise_translated(error)


def raise_translated(error: Exception) -> NoReturn:
    """Raise what `unavailable` or `refused` makes of it, or the error itself."""
    known = unavailable(error) or refused(error)
    if known is None or known is error:
        raise error
    raise known from error


def _told(what: str, error: BaseException, remedy: str) -> DatabaseUnavailable:
    return DatabaseUnavailable(f"{what}. Try again in a few seconds.", f"{' '.join(str(error).split())} ({remedy})")
