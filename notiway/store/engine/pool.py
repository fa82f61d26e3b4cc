"""Pool: connections to PostgreSQL, at most so many, opened and awaited without holding anybody else up."""

from __future__ import annotations

import heapq
import select
from time import monotonic, time
from typing import Any

import peewee
from playhouse.pool import MaxConnectionsExceeded, PoolConnection, PooledPostgresqlDatabase

from notiway.pausing import is_patched, pause

PLAIN: Any = peewee.PostgresqlDatabase  # its insides are in no stubs
RESTART_SECONDS = 5.0  # so long after the server went away a connect is tried again, then it fails at once
RETRY_SECONDS = 0.1
GIVEN_BACK = "notiway_given_back"  # an attribute of a connection: when, by the monotonic clock
LAIN_SECONDS = 10.0  # a connection that was not used for so long is asked whether it still works


class Pool(PooledPostgresqlDatabase):  # type: ignore[misc]
    """Peewee's pool of PostgreSQL connections, except that no lock is held while a server is waited for.

    Peewee opens a connection under two locks of the whole database: while a server does not answer, the others could
    not even give theirs back. And it asks the server whether a connection works each time it is taken; here the
    socket tells: a server that ends a connection says so.

    Once it has connected, a server that is away is tried again for `RESTART_SECONDS`, so that a restart costs those
    who come meanwhile a wait and no error. `MaxConnectionsExceeded` after `timeout` seconds without a free connection.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self._opening = 0  # connections that are being opened now
        self._has_connected = False
        self._away_since: float | None = None
        super().__init__(*args, **options)

    def connect(self, reuse_if_open: bool = False) -> bool:
        return self.connect_within(self._wait_timeout, reuse_if_open)

    def connect_within(self, seconds: float, reuse_if_open: bool = False) -> bool:
        """The same for those who do not wait longer than this, whether for the pool or the server."""
        state = self._state
        if not state.closed:
            if reuse_if_open:
                return False
            raise peewee.OperationalError("Connection already opened.")
        state.reset()
        with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
            connection = self._take(monotonic() + seconds)
            if self.server_version is None:
                self._set_server_version(connection)
        state.set_connection(connection)
        return True

    def _take(self, until: float) -> Any:
        while True:
            connection = self._lying(until)
            if connection is not None:
                if self._works(connection):
                    return connection
                self._close(connection, close_conn=True)
                continue
            try:
                return self._open()
            except peewee.ImproperlyConfigured:
                raise
            except Exception:
                now = monotonic()
                self._away_since = self._away_since or now
                if not self._has_connected or now > min(until, self._away_since + RESTART_SECONDS):
                    raise
            pause(RETRY_SECONDS)

    def _lying(self, until: float) -> Any:
        """A connection that nobody uses, marked as in use; None if one may be opened, which is noted."""
        with self._pool_lock:
            while True:
                if self._connections:
                    since, _, connection = heapq.heappop(self._connections)
                    self._in_use[self.conn_key(connection)] = PoolConnection(since, connection, time())
                    return connection
                if not self._max_connections or len(self._in_use) + self._opening < self._max_connections:
                    self._opening += 1
                    return None
                left = until - monotonic()
                if left <= 0:
                    raise MaxConnectionsExceeded("Max connections exceeded, timed out attempting to connect.")
                self._pool_available.wait(left)

    def _open(self) -> Any:
        connection = None
        try:
            # The pool's own would look into the pool again.
            connection = PLAIN._connect(self)
        finally:
            with self._pool_lock:
                self._opening -= 1
                if connection is None:
                    self._pool_available.notify()
                else:
                    self._in_use[self.conn_key(connection)] = PoolConnection(time(), connection, time())
        self._has_connected, self._away_since = True, None
        return connection

    def _works(self, connection: Any) -> bool:
        now = monotonic()
        since = self._in_use[self.conn_key(connection)].timestamp
        if connection.closed or self._is_stale(since) or _says_something(connection.fileno()):
            return False
        if now - vars(connection).get(GIVEN_BACK, now) < LAIN_SECONDS:
            return True
        return not self._adapter.is_connection_closed(connection)  # asks the server

    def _close(self, conn: Any, close_conn: bool = False) -> None:
        vars(conn)[GIVEN_BACK] = monotonic()
        super()._close(conn, close_conn)


def _says_something(fileno: int) -> bool:
    """Whether there is anything to read, where nothing was asked: the server's goodbye, or the end of the line."""
    poll: Any = select.poll
    if is_patched("select"):
        from gevent.monkey import get_original

        poll = get_original("select", "poll")  # gevent's own would go round the loop
    asked = poll()
    asked.register(fileno, select.POLLIN)
    return bool(asked.poll(0))
