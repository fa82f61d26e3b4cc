"""Private files: what holds inboxes and hashes is made for its owner only, before anything is written into it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import peewee

OWNER_ONLY = 0o600


def file_of(database: peewee.Database) -> Path | None:
    """The file of a SQLite database; None for a server, and for one that no other process can open."""
    name = str(database.database)
    if not isinstance(database, peewee.SqliteDatabase) or name in ("", ":memory:") or name.startswith("file:"):
        return None
    return Path(name)


def create(path: Path) -> None:
    """Make an empty file that nobody else may read; SQLite gives the files beside it the same mode.

    A file that is there stays as it is. Where none can be made, whoever opens it says so.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))


def open_to_others(paths: Iterable[Path]) -> list[Path]:
    """Those of the files that others on this machine may read or write, with what SQLite keeps beside them."""
    beside = [each for path in paths for each in with_logs(path)]
    return [path for path in beside if path.is_file() and path.stat().st_mode & ~OWNER_ONLY & 0o777]


def with_logs(path: Path) -> list[Path]:
    """The file, and what SQLite may keep beside it."""
    return [path.with_name(path.name + end) for end in ("", "-wal", "-shm", "-journal")]
