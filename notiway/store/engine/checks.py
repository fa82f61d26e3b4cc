"""Checks: what keeps the database from serving requests well, found at once, and what to do about it."""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

import peewee
from playhouse.pool import MaxConnectionsExceeded

from notiway.store.database import db
from notiway.store.engine.faults import RESTORE, unavailable
from notiway.store.engine.guard import guard_of
from notiway.store.engine.private_files import file_of
from notiway.store.engine.turns import LOCK_WAIT_SECONDS
from notiway.store.sql import run

POOL_PATIENCE_SECONDS = 1.0  # for a free connection: whoever asks whether all is well does not wait for ten
ROOM_BYTES = 256 * 1024  # that the disk must take
DEEP_BYTES = 1 << 30  # files up to this size are read as a whole by `damage`
# One row of each table that requests ask, by the way that they take.
READS = (
    "SELECT * FROM notiway_notification ORDER BY id DESC LIMIT 1",
    "SELECT * FROM notiway_inbox_item LIMIT 1",
    "SELECT * FROM notiway_inbox_cursor LIMIT 1",
    "SELECT * FROM notiway_membership LIMIT 1",
)
NO_TABLE = re.compile(r"no such (table|column)|(relation|column) .* does not exist")  # SQLite's words, PostgreSQL's
MIGRATE = "run: flask --app app notiway migrate"
START = "start it, or correct NOTIWAY_DATABASE_URL"
MOVED = "its file was removed or replaced while it was open: what is written now is lost; restart this process"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong: `text` is for everybody, `remedy` for those who run the application."""

    text: str
    remedy: str


def troubles() -> list[Trouble]:
    """What keeps requests from being served: pages, writes, room on the disk, the file itself. Waits a second at most.

    A lock that another process holds for a moment is nothing.
    """
    found = _caught(_connect) or _moved() or _caught(_read)
    return [found] if found is not None else [each for each in (_locked(), _full()) if each is not None]


def damage() -> Trouble | None:
    """A fault anywhere in a SQLite file of up to 1 GiB, which all of it is read for."""
    path = file_of(db.obj)
    if path is None or not path.is_file() or path.stat().st_size > DEEP_BYTES:
        return None

    def look() -> Trouble | None:
        said = run("PRAGMA quick_check(1)").fetchone()[0]
        return None if said == "ok" else Trouble("the database is damaged", f"{said} ({RESTORE})")

    return _caught(look)


def _caught(look: Callable[[], Trouble | None]) -> Trouble | None:
    try:
        return look()
    except (peewee.PeeweeException, MaxConnectionsExceeded, sqlite3.Error) as error:
        known = unavailable(error)
        if known is not None:
            return Trouble("the database does not answer", known.reason)
        if NO_TABLE.search(str(error)):
            return Trouble("the tables are not those of this version", f"{error}: {MIGRATE}")
        return Trouble(f"the database does not answer ({type(error).__name__})", f"{error}: {START}")


def _connect() -> None:
    rules = guard_of(db.obj)
    if rules is not None:
        rules.connect_within(POOL_PATIENCE_SECONDS)


def _read() -> None:
    for text in READS:
        run(text).fetchall()


def _moved() -> Trouble | None:
    rules = guard_of(db.obj)
    if rules is None or not rules.has_moved():
        return None
    return Trouble("the database is not the one that was opened", MOVED)


def _locked() -> Trouble | None:
    rules = guard_of(db.obj)
    if rules is None or db.in_transaction():
        return None
    try:
        seconds = rules.try_to_write()
    except peewee.PeeweeException as error:
        known = unavailable(error)
        return Trouble("the database cannot be written to", str(error) if known is None else known.reason)
    if seconds <= LOCK_WAIT_SECONDS:
        return None
    remedy = f"another process has held the write lock for {seconds:.0f} s: look for a long transaction"
    return Trouble("the database is locked", remedy)


def _full() -> Trouble | None:
    """SQLite writes to the disk at the commit only: a transaction that is rolled back does not say whether it may."""
    path = file_of(db.obj)
    if path is None:
        return None
    try:
        with tempfile.TemporaryFile(dir=path.parent) as file:
            file.write(bytes(ROOM_BYTES))
    except OSError as error:
        remedy = f"{error}: make room, and let this process write in the folder of the database"
        return Trouble("the disk of the database does not accept data", remedy)
    return None
