"""Backup: a SQLite database as one file, taken while others read and write."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import peewee

from notiway.pausing import pause
from notiway.store.engine import private_files
from notiway.store.log import eras
from notiway.values.errors import WrongInput

STEP_PAGES = 500  # 2 MB: some milliseconds
STEP_PAUSE_SECONDS = 0.002
PART = ".part"  # at the end of the name while it is not whole

Tell = Callable[[int, int], object]  # pages that are still to come, and all


def back_up(database: peewee.Database, path: Path, tell: Tell | None = None) -> int:
    """Write all that is committed when this begins into a new file, readable by its owner only; its size in bytes.

    Nobody waits for it: it reads one moment of the database through a connection of its own, and writers go on. The
    file appears under its name when it is whole and checked. `WrongInput` for a database that is no SQLite file, and
    for a path that is taken.

    >>> back_up(database, Path("/backups/notiway-2026-01-31.db"))  # doctest: +SKIP
    1548288
    """
    file = private_files.file_of(database)
    if file is None:
        raise WrongInput("Only SQLite files are backed up by this. For PostgreSQL see docs/how-to/back-up.md")
    part = path.with_name(path.name + PART)
    if path.exists() or part.exists():
        raise WrongInput(f"{path if path.exists() else part} is there already: name another file, or remove it")
    private_files.create(part)
    try:
        _copy(file, part, tell)
        _finish(part)
        os.link(part, path)  # fails where a file of that name has come meanwhile
    except FileExistsError:
        raise WrongInput(f"{path} is there already: name another file, or remove it") from None
    except sqlite3.Error as error:
        raise WrongInput(f"No backup was written to {path}: {error}") from error
    finally:
        for each in private_files.with_logs(part):
            with suppress(FileNotFoundError):
                each.unlink()
    return path.stat().st_size


def _copy(source: Path, target: Path, tell: Tell | None) -> None:
    address = f"{source.absolute().as_uri()}?mode=ro"

    def step(_status: int, left: int, total: int) -> None:
        if tell is not None:
            tell(left, total)
        pause(STEP_PAUSE_SECONDS)

    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as reader:
        # One moment is read to the end. Without a transaction around it each write of others would begin it anew.
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        with closing(sqlite3.connect(target)) as writer:
            reader.backup(writer, pages=STEP_PAGES, progress=step)


def _finish(target: Path) -> None:
    """One file without a log beside it, not damaged, for which a new era begins when it is opened."""
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE")
        copy.execute(eras.FORGET)
        (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise WrongInput(f"The database is damaged, and so would be its copy: {found}")
    with target.open("rb") as file:
        os.fsync(file.fileno())
