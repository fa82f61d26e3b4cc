"""Server address: what an URL of PostgreSQL says, read by PostgreSQL's own rules, and what Notiway adds to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from notiway.values.errors import ConfigError, Fault

CONNECT_SECONDS = 5  # for a server to answer; the system's own patience is minutes
INSTALL = "PostgreSQL needs a driver: pip install 'notiway[postgresql]'"
WRONG = "is no address that PostgreSQL's library understands"
# A server that vanishes without a goodbye is noticed within a minute, instead of hours.
KEPT_ALIVE = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "fallback_application_name": "notiway",
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server takes over things before it gives up, in seconds; 0 for without end.

    `statement`: over one statement; `lock`: waiting for one lock; `idle`: for the next statement of a transaction.
    """

    statement: float = 30.0
    lock: float = 10.0
    idle: float = 60.0

    def as_options(self) -> str:
        """For the connection's `options`: https://www.postgresql.org/docs/current/runtime-config-client.html"""
        values = {
            "statement_timeout": self.statement,
            "lock_timeout": self.lock,
            "idle_in_transaction_session_timeout": self.idle,
        }
        return " ".join(f"-c {name}={round(seconds * 1000)}" for name, seconds in values.items())


PATIENCE = Patience()


def read(url: str, patience: Patience = PATIENCE) -> tuple[str, dict[str, Any]]:
    """The database's name, and everything else for the driver; what the URL says goes before what Notiway adds.

    So several hosts, sockets, percent signs in passwords, certificates and all other parameters work as with `psql`.
    `ConfigError`, without the URL, for one that cannot be read.
    """
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        raise ConfigError(INSTALL, [Fault("NOTIWAY_DATABASE_URL", "psycopg is not installed")]) from error
    try:
        said: dict[str, Any] = conninfo_to_dict(url)
    except ProgrammingError:  # its text may hold the password
        raise ConfigError("Notiway cannot start: fix this setting", [Fault("NOTIWAY_DATABASE_URL", WRONG)]) from None
    name = said.pop("dbname", "")
    if not name:
        raise ConfigError(
            "Notiway cannot start: fix this setting",
            [Fault("NOTIWAY_DATABASE_URL", "names no database: postgresql://user@host/name")],
        )
    options = f"{patience.as_options()} {said.pop('options', '')}".strip()
    return name, {**KEPT_ALIVE, **said, "options": options}
