"""A lock between processes of one machine that use a SQLite file; the kernel lets it go however its holder ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from notiway.pausing import pause
from notiway.store.engine.faults import DatabaseUnavailable
from notiway.store.engine.private_files import OWNER_ONLY


@contextmanager
def locked(path: Path, seconds: float, retry_seconds: float) -> Iterator[bool]:
    """Inside, no other process is inside with the same path; the file stays. False: it was not let in for so long.

    `DatabaseUnavailable` where no such file can be made or locked. A lock on the database's file itself would not do:
    whoever closes that lets go of SQLite's own locks (fcntl(2)).
    """
    until = monotonic() + seconds
    file = _opened(path)
    try:
        while not (is_ours := _take(file)) and monotonic() < until:
            pause(retry_seconds)
        yield is_ours
    finally:
        os.close(file)


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY)
    except OSError as error:
        raise DatabaseUnavailable("The database is not available.", f"{error}: let this process write there") from error


def _take(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        reason = f"{error}: the file system of the database has no locks, which SQLite needs too"
        raise DatabaseUnavailable("The database is not available.", reason) from error
    return True
