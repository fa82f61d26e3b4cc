"""Database: one SQLite database in memory for all simulated processes, and what it says, asked without Notiway."""

from __future__ import annotations

import sqlite3
from contextlib import nullcontext
from typing import Any

from notiway.store import schema
from notiway.store.database import open_database
from notiway.store.engine.guard import guard_of
from notiway.store.log import eras

from . import stand_ins

# Everything that is there for a user, pulled already or not: (id, when it was read).
TRUTH = (
    "SELECT n.id, i.read_at FROM notiway_inbox_item i JOIN notiway_notification n ON n.id = i.notification_id"
    " WHERE i.user_id = ?1 AND i.deleted_at IS NULL AND n.recalled_at IS NULL"
    " AND (n.expires_at IS NULL OR n.expires_at > ?2)"
    " UNION ALL SELECT n.id, NULL FROM notiway_notification n"
    " WHERE n.audience IN (SELECT 'global' UNION ALL SELECT audience FROM notiway_membership WHERE user_id = ?1)"
    " AND n.recalled_at IS NULL AND (n.expires_at IS NULL OR n.expires_at > ?2)"
    " AND NOT EXISTS (SELECT 1 FROM notiway_inbox_item i WHERE i.user_id = ?1 AND i.notification_id = n.id)"
)
COUNT_CAP = 100
ERA = 1


class Database:
    """Made once in a process of this machine; `reset` empties it for the next schedule."""

    def __init__(self) -> None:
        self.opened: Any = open_database("sqlite:///:memory:")
        self.opened._stale_timeout = None
        schema.migrate(self.opened)
        self.opened.connect(reuse_if_open=True)
        self.raw = self.opened.connection()
        names = self.raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'notiway_%'")
        # What the search catalogue keeps beneath its table is not to be touched; nothing here fills it.
        self._tables = [
            row[0]
            for row in names
            if row[0] != schema.OWN.history_table and not row[0].startswith("notiway_search_words")
        ]
        # The one connection stays: it is the database.
        self.opened.close = lambda: False
        self.opened.connection_context = nullcontext
        guard_of(self.opened).file = 0, 0  # there is none: else each connect would look for it
        self._tables.reverse()  # rows that refer to others go first: then nobody looks for them
        self._are_filled = "SELECT " + ", ".join(f"EXISTS (SELECT 1 FROM {table})" for table in self._tables)
        self._inboxes: dict[str, tuple[Any, dict[str, bool]]] = {}
        execute, tell = self.opened.execute_sql, self.opened._run_commit_callbacks

        def execute_sql(sql: str, params: Any = None) -> Any:
            # A transaction begins and ends in one go: SQLite has one writer, and readers see nothing of it before.
            if stand_ins.stage is not None and not self.raw.in_transaction and not sql.startswith("BEGIN"):
                stand_ins.stage.before_statement()
            try:
                return self.raw.execute(sql, params or ())
            except sqlite3.Error:
                return execute(sql, params)  # fails again, and as Notiway tells it

        def run_callbacks() -> None:
            waiting = self.opened._state.commit_callbacks
            calls, waiting[:] = list(waiting), []
            if stand_ins.stage is not None:
                stand_ins.stage.after_commit()
            waiting[:] = calls
            tell()

        self.opened.execute_sql = execute_sql
        self.opened._run_commit_callbacks = run_callbacks

    def reset(self) -> None:
        self.raw.execute("BEGIN")
        for table, is_filled in zip(self._tables, self.raw.execute(self._are_filled).fetchone(), strict=True):
            if is_filled:
                self.raw.execute(f"DELETE FROM {table}")
        self.raw.execute(eras.BEGIN, (ERA,))
        self.raw.execute("COMMIT")
        eras._known[self.opened] = str(ERA)  # or the first schedule that asks takes another course than the next
        self._inboxes.clear()

    def inbox(self, user_id: str, now_ms: int) -> dict[str, bool]:
        """What stands for the user: id, and whether it was read. Asked again only once something has changed."""
        asked = now_ms, self.raw.total_changes
        before, found = self._inboxes.get(user_id, (None, {}))
        if before != asked:
            found = {row[0]: row[1] is not None for row in self.raw.execute(TRUTH, (user_id, now_ms))}
            self._inboxes[user_id] = asked, found
        return found

    def badge(self, user_id: str, now_ms: int) -> int:
        return min(COUNT_CAP, sum(not is_read for is_read in self.inbox(user_id, now_ms).values()))

    def rows(self, query: str, *params: Any) -> list[Any]:
        return self.raw.execute(query, params).fetchall()
