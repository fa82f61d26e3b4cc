"""The guard of a PostgreSQL database: a connection that broke is replaced as soon as no transaction depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

import peewee

from notiway.pausing import pause
from notiway.store.engine import guard
from notiway.store.engine.faults import READ_ONLY, translated
from notiway.store.engine.guard import Guard, still_busy
from notiway.store.engine.pool import Pool

ALONE = 0x6E6F74697761  # the number of the lock, of the name: other programs in the same database use other ones
HURRIES = ("statement_timeout", "idle_in_transaction_session_timeout")


class PostgresGuard(Guard):
    """PostgreSQL. Whoever keeps a connection for long, as a consumer does, gets another one when it broke.

    A server that only reads was a primary before a failover: the connections to it are given up, so that the next
    ones find the new primary.
    """

    def connect_within(self, seconds: float) -> None:
        if isinstance(self.database, Pool):
            with translated():
                self.database.connect_within(seconds, reuse_if_open=True)
        else:
            super().connect_within(seconds)

    def begin(self, *how: Any) -> None:
        self._replace_broken()
        super().begin(*how)

    def commit(self) -> None:
        """Where the connection breaks before the answer, the server may have committed: that is told to `on_doubt`."""
        try:
            super().commit()
        except peewee.PeeweeException:
            if self.on_doubt is not None and not self.is_in_transaction():
                self.on_doubt()
            raise

    def run(self, sql: str, params: Any) -> Any:
        self._replace_broken()
        try:
            return super().run(sql, params)
        except peewee.PeeweeException as error:
            self._leave_standby(error)
            raise

    @contextmanager
    def unhurried(self) -> Iterator[None]:
        self.database.connect(reuse_if_open=True)
        for name in HURRIES:
            self.database.execute_sql(f"SET {name} = 0")
        try:
            yield
        finally:
            with suppress(peewee.PeeweeException):  # inside a transaction that failed, or after the connection broke
                for name in HURRIES:
                    self.database.execute_sql(f"RESET {name}")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """The lock belongs to the connection: if this process dies, the server lets the next one in."""
        with self.database.connection_context():
            until = monotonic() + guard.ALONE_SECONDS
            # Never waited for by the server: CREATE INDEX CONCURRENTLY of the other process would wait for this one.
            while not self.database.execute_sql("SELECT pg_try_advisory_lock(%s)", (ALONE,)).fetchone()[0]:
                if monotonic() > until:
                    raise still_busy()
                pause(guard.ALONE_RETRY_SECONDS)
            try:
                yield
            finally:
                with suppress(peewee.PeeweeException):  # a connection that broke holds no lock
                    self.database.execute_sql("SELECT pg_advisory_unlock(%s)", (ALONE,))

    def _replace_broken(self) -> None:
        state = self.database._state
        if state.closed or not state.conn.closed or state.transactions:
            return
        opened_by = list(state.ctx)
        self.database.close()
        self.database.connect()
        state.ctx = opened_by  # they close the connection when they end

    def _leave_standby(self, error: peewee.PeeweeException) -> None:
        if getattr(getattr(error, "orig", None), "sqlstate", None) != READ_ONLY or not self.lends:
            return
        self.database._state.conn.close()
        self.database.close_idle()
