"""Patience: under gevent the application's own statements do not wait inside SQLite either."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Engine, event

from notiway.pausing import is_patched
from notiway.store.engine.turns import deadline, patiently
from notiway.store.session.connection import OUTDATED


def let_others_run(engine: Engine) -> None:
    """While a statement of this SQLite engine waits for the write lock, other greenlets run.

    SQLite's own wait stops the whole process, the one that holds the lock included: both would wait until one fails.
    Nothing is changed without gevent.
    """
    if not is_patched():
        return
    event.listen(engine, "connect", lambda raw, _record: raw.execute("PRAGMA busy_timeout = 0"))
    event.listen(engine, "do_execute", _execute)
    event.listen(engine, "do_executemany", _execute_many)


def _execute(cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
    patiently(lambda: _once(cursor.execute, statement, parameters), deadline())
    return True  # it is done


def _execute_many(cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
    patiently(lambda: _once(cursor.executemany, statement, parameters), deadline())
    return True


def _once(execute: Any, statement: str, parameters: Any) -> None:
    try:
        execute(statement, parameters)
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) == OUTDATED:
            raise sqlite3.OperationalError("another transaction wrote after this one had read") from error
        raise
