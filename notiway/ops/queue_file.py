"""The queue's file: huey's SQLite storage, except that nothing waits inside SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from huey.storage import SqliteStorage

from notiway.store.engine.turns import deadline, patiently


class QueueFile(SqliteStorage):  # type: ignore[misc]
    """A locked file is waited for outside SQLite, so that other greenlets go on; `sqlite3.OperationalError` after 10 s.

    huey's own wait is SQLite's, 5 s at a time with the whole process stopped.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options | {"timeout": 0})

    def _create_connection(self) -> sqlite3.Connection:
        create = super()._create_connection
        connection: sqlite3.Connection = patiently(create, deadline())
        # As the database beside it: safe against a crash of the process, and no wait for the disk at each commit.
        connection.execute("PRAGMA synchronous = 1")
        return connection

    @contextmanager
    def db(self, commit: bool = False, close: bool = False) -> Iterator[sqlite3.Cursor]:
        with self.lock:
            cursor: sqlite3.Cursor = self.conn.cursor()
            try:
                if commit:
                    patiently(lambda: cursor.execute(self.begin_sql), deadline())
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
