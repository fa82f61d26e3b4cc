"""The queue's file: huey's SQLite storage, except that nothing waits inside SQLite; and what is wrong with a queue."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from huey import Huey
from huey.storage import SqliteStorage

from notiway.ops.logs import redact
from notiway.store.engine.sqlite_guard import identity
from notiway.store.engine.turns import deadline, patiently

_inherited: list[sqlite3.Connection] = []  # kept open for as long as the process lives


class QueueFile(SqliteStorage):  # type: ignore[misc]
    """A locked file is waited for outside SQLite, so that other greenlets go on; `sqlite3.OperationalError` after 10 s.

    huey's own wait is SQLite's, 5 s at a time with the whole process stopped.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self._file: tuple[int, int] | None = None
        self._conn: sqlite3.Connection | None = None
        self._pid = os.getpid()
        self._failed: str = ""  # why the last wait for the file was in vain; nothing once one was not
        super().__init__(*args, **options | {"timeout": 0})

    def _create_connection(self) -> sqlite3.Connection:
        create = super()._create_connection
        connection: sqlite3.Connection = patiently(create, deadline())
        # As the database beside it: safe against a crash of the process, and no wait for the disk at each commit.
        connection.execute("PRAGMA synchronous = 1")
        self._file = self._file or identity(self.filename)
        return connection

    def trouble(self) -> str | None:
        """What keeps the queue from taking work, with what to do; found without waiting for a lock."""
        if self._file is not None and self._file != identity(self.filename):
            return "its file was removed or replaced while it was open: restart this process"
        if self._failed:
            return f"{self._failed}: look for another process that holds the lock of its file"
        try:
            self.sql("SELECT 1 FROM task LIMIT 1", results=True)
        except sqlite3.Error as error:
            return f"{error}: stop the server, and remove the file if it is damaged; it only contains waiting jobs"
        return None

    def drop_oldest(self, most: int) -> int:
        """Let at most so many tasks wait; how many went."""
        with self.db(commit=True) as cursor:
            cursor.execute(
                "DELETE FROM task WHERE queue = ? AND id <= (SELECT id FROM task WHERE queue = ?"
                " ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (self.name, self.name, most),
            )
            return int(cursor.rowcount)

    @property
    def conn(self) -> sqlite3.Connection:
        """The connection of this process: SQLite's must not be carried over a fork, nor closed there."""
        if self._conn is not None and self._pid != os.getpid():
            _inherited.append(self._conn)
            self._conn = None
        if self._conn is None:
            self._conn, self._pid = self._create_connection(), os.getpid()
        return self._conn

    @contextmanager
    def db(self, commit: bool = False, close: bool = False) -> Iterator[sqlite3.Cursor]:
        with self.lock:
            cursor: sqlite3.Cursor = self.conn.cursor()
            try:
                if commit:
                    self._begin(cursor)
                yield cursor
            except BaseException:
                if commit:
                    self.conn.rollback()
                raise
            else:
                if commit:
                    self.conn.commit()
            finally:
                cursor.close()
                if close:
                    self.conn.close()
                    self._conn = None

    def _begin(self, cursor: sqlite3.Cursor) -> None:
        try:
            patiently(lambda: cursor.execute(self.begin_sql), deadline())
        except sqlite3.Error as error:
            self._failed = str(error)
            raise
        self._failed = ""


def trouble(huey: Huey) -> str | None:
    """What keeps a queue from taking work, with what to do; None if nothing does."""
    try:
        if isinstance(huey.storage, QueueFile):
            return huey.storage.trouble()
        huey.storage.queue_size()
    except Exception as error:  # noqa: BLE001 - each storage has its own errors, and all mean the same here
        return f"{redact(str(error))}: start it, or correct NOTIWAY_JOBS_URL"
    return None
