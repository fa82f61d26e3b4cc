"""Alone: with the memory broker one process serves a database; a second one would reach only its own clients.

Counting workers finds those of one server. This finds all others: a second server, or several processes of a server
that asks nobody. The kernel lets the lock go when its process ends, however that ends.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from pathlib import Path

import peewee

from notiway.store.engine import private_files
from notiway.values.config import Config
from notiway.values.errors import ConfigError, Fault

log = logging.getLogger(__name__)

SUFFIX = ".serving"  # of the file beside the database whose lock the serving process holds
PAUSE_SECONDS = 0.1
MARGIN_SECONDS = 5.0  # more than the drain of the process before this one

_held: dict[Path, tuple[int, int]] = {}  # the process that took a lock, and its file
_refused: set[Path] = set()


def check_alone(config: Config, database: peewee.Database) -> None:
    """`ConfigError` while another process serves this SQLite file with the memory broker.

    The first time it waits as long as a process that is being replaced may take to end; it blocks meanwhile.
    """
    name = private_files.file_of(database)
    if config.broker_is_shared or name is None:
        return
    path = Path(f"{name}{SUFFIX}").absolute()
    if _held.get(path, (0, 0))[0] == os.getpid():
        return
    patience = 0.0 if path in _refused else config.drain_seconds + MARGIN_SECONDS
    if not _take(path, time.monotonic() + patience):
        _refused.add(path)
        raise ConfigError(
            "Notiway refuses to serve: with the memory broker each process would reach only its own clients",
            [Fault("NOTIWAY_BROKER_URL", f"another process serves {name}: stop it, or start one process only")],
        )


def let_go(database: peewee.Database) -> None:
    """This process serves the database no longer: another one may."""
    path = Path(f"{private_files.file_of(database)}{SUFFIX}").absolute()
    if _held.get(path, (0, 0))[0] == os.getpid():
        os.close(_held.pop(path)[1])


def is_served(database: Path) -> bool:
    """Whether a process serves this SQLite file with the memory broker now."""
    try:
        file = os.open(Path(f"{database}{SUFFIX}"), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(file)
    return False


def _take(path: Path, deadline: float) -> bool:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        log.warning("%s cannot be opened (%s), so a second server on this database would not be noticed", path, error)
        return True
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(file)
                return False
            time.sleep(PAUSE_SECONDS)
        except OSError as error:
            log.warning("%s cannot be locked (%s), so a second server would not be noticed", path, error)
            os.close(file)
            return True
        else:
            _held[path] = os.getpid(), file
            return True
