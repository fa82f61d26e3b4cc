"""Engines: which database a SQLAlchemy engine is on, and whether our statements can run on its connections."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import Engine

DRIVERS = {"sqlite": ("pysqlite",), "postgresql": ("psycopg",)}
POSTGRESQL_PORT = "5432"


class Place(NamedTuple):
    """Where Notiway has its rows beside an engine."""

    url: str | None  # for Notiway's own pool; None: not where the engine is
    dialect: str  # SQLAlchemy's name of the kind of database
    shares: bool  # whether what is written goes through the session's connection
    in_memory: bool = False  # the engine's connections are the only way to it


def place_of(engine: Engine, configured: str) -> Place:
    """Where the rows go: beside the application's own, unless another database was configured.

    `configured` is NOTIWAY_DATABASE_URL, or empty.
    """
    url, dialect = engine.url, engine.dialect.name
    can_share = engine.dialect.driver in DRIVERS.get(dialect, ()) and not engine.dialect.is_async
    if dialect == "sqlite":
        path = url.database or ":memory:"
        if path.startswith("file:"):  # Notiway's own pool opens no such address
            return Place(configured or None, dialect, shares=False)
        here, in_memory = f"sqlite:///{path}", path == ":memory:"
    elif dialect == "postgresql":
        here, in_memory = url.set(drivername="postgresql").render_as_string(hide_password=False), False
    else:
        return Place(configured or None, dialect, shares=False)
    if configured and _identity(configured) != _identity(here):
        return Place(configured, dialect, shares=False)
    return Place(configured or here, dialect, can_share, in_memory and can_share)


def _identity(url: str) -> tuple[str, ...]:
    """What two URLs of one database have in common; two that differ may still be one, which costs only a promise."""
    parts = urlsplit(url)
    if parts.scheme.startswith("sqlite"):
        path = parts.path[1:]
        return ("sqlite", path if path in ("", ":memory:") else str(Path(path).resolve()))
    options = dict(parse_qsl(parts.query))
    host, port = options.get("host", parts.hostname or ""), options.get("port", str(parts.port or POSTGRESQL_PORT))
    return ("postgresql", host, port, options.get("dbname", parts.path[1:]))
