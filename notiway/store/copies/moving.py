"""Moving: all rows of a SQLite database go into an empty PostgreSQL, in one transaction there: all of them or none."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from notiway.pausing import pause
from notiway.store import schema
from notiway.store.engine.guard import guard_of
from notiway.store.engine.postgres_guard import PostgresGuard
from notiway.store.log import positions
from notiway.store.log.eras import NAME as ERA
from notiway.values.errors import Fault, WrongInput

ROWS_AT_ONCE = 2_000
WAIT_SECONDS = 10.0  # for the write lock of the source
# Made anew: the catalogue of searches is filled from the inboxes; positions and eras are those of the new database.
LEFT_OUT = ("notiway_search_entry",)
OF_SQLITE = f"name NOT IN ('position', '{ERA}')"
OWN_NUMBER = "SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)"
NUL = "\0"  # which text of PostgreSQL cannot hold
INSTEAD_OF_NUL = "\N{REPLACEMENT CHARACTER}"

Tell = Callable[[str, int], None]  # a table, and how many of its rows have been copied


def move(
    source: Path,
    target: Any,
    sets: Sequence[schema.Migrations] = (schema.OWN,),
    tell: Tell | None = None,
    *,
    without: Sequence[str] = (),
) -> dict[str, int]:
    """Copy every table of a SQLite file to a PostgreSQL database; how many rows each has.

    The target's tables are made where they are missing, and must be empty. `sets` are the migrations whose tables
    there are; further tables of the source must be there, too, or be named in `without`. While it runs nobody can
    write to the source. It is all in one transaction: whatever fails, the target stays empty. `WrongInput` says why.

    >>> move(Path("instance/notiway.db"), open_database("postgresql://app@db/shop"))  # doctest: +SKIP
    {'notiway_notification': 18234, 'notiway_inbox_item': 92110, …}
    """
    rules = guard_of(target)
    if not isinstance(rules, PostgresGuard):
        raise WrongInput("Rows are moved to a PostgreSQL database: give the URL of one")
    with _still(source) as reading, rules.unhurried():
        _check_version(reading, sets)
        schema.migrate(target, sets)
        tables = _tables(reading, target, sets, without)
        with target.atomic():
            shift = _shift(reading, target)
            copied = {table: _copy(reading, target, table, shift, tell) for table in tables}
            _set_sequences(target, tables)
            _check_counts(reading, target, copied)
    for table in tables:
        target.execute_sql(f'ANALYZE "{table}"')
    return copied


@contextmanager
def _still(source: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a file that nobody writes to meanwhile: what came after the copy would be lost."""
    if not source.is_file():
        raise WrongInput(f"{source} is no SQLite file")
    address = f"{source.absolute().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=WAIT_SECONDS)) as reading:
            reading.execute("BEGIN IMMEDIATE")
            yield reading
            reading.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        raise WrongInput(f"{source} cannot be read: {error}. Stop what writes to it") from error


def _check_version(reading: sqlite3.Connection, sets: Sequence[schema.Migrations]) -> None:
    for each in sets:
        wanted = {path.stem for path in each.folder.glob("[0-9]*.py")}
        try:
            there = {row[0] for row in reading.execute(f'SELECT name FROM "{each.history_table}"')}
        except sqlite3.OperationalError:
            there = set()
        if wanted - there:
            raise WrongInput("The tables are not those of this version: run first: flask --app app notiway migrate")


def _tables(
    reading: sqlite3.Connection, target: Any, sets: Sequence[schema.Migrations], without: Sequence[str]
) -> list[str]:
    """What is copied, each table after those that it refers to."""
    found = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    named = dict(reading.execute(found).fetchall())
    virtual = [name for name, sql in named.items() if sql.upper().startswith("CREATE VIRTUAL")]
    own = {*LEFT_OUT, *without, *(each.history_table for each in sets)}
    names = {name for name in named if name not in own and not any(name.startswith(each) for each in virtual)}
    there = set(target.get_tables())
    if missing := sorted(names - there):
        raise WrongInput(
            "The target lacks tables: make them there, or leave them out (--without)",
            [Fault(name, "is in the source only") for name in missing],
        )
    full = [name for name in sorted(names) if target.execute_sql(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone()]
    if full:
        raise WrongInput(
            "The target has rows already: give an empty database", [Fault(each, "has rows") for each in full]
        )
    needs = {name: {key.dest_table for key in target.get_foreign_keys(name)} & names - {name} for name in names}
    order: list[str] = []
    while len(order) < len(names):
        ready = sorted(name for name in names if name not in order and needs[name] <= set(order))
        if not ready:
            raise WrongInput("Tables refer to each other in a circle", [Fault(each, "") for each in sorted(names)])
        order += ready
    return order


def _shift(reading: sqlite3.Connection, target: Any) -> int:
    """What to take from each position, so that all of them are decided before the first row of the new database."""
    queries = [
        f'SELECT MAX("{column}") FROM "{table}"' for table, names in positions.MEASURED.items() for column in names
    ]
    highest = max((reading.execute(query).fetchone()[0] or 0 for query in queries), default=0)
    own: int = target.execute_sql(OWN_NUMBER).fetchone()[0]
    return int(highest) - own + 1


def _copy(reading: sqlite3.Connection, target: Any, table: str, shift: int, tell: Tell | None) -> int:
    columns = [row[1] for row in reading.execute(f'PRAGMA table_info("{table}")')]
    lacking = set(columns) - {each.name for each in target.get_columns(table)}
    if lacking:
        raise WrongInput(f"The target's table {table} lacks columns", [Fault(each, "is missing") for each in lacking])
    moved = positions.MEASURED.get(table, ())
    picked = ", ".join(f'"{name}" - {shift}' if name in moved else f'"{name}"' for name in columns)
    rows = reading.execute(f'SELECT {picked} FROM "{table}"{_only(table)}')
    listed = ", ".join(f'"{name}"' for name in columns)
    count = 0
    try:
        with target.connection().cursor().copy(f'COPY "{table}" ({listed}) FROM STDIN') as copy:
            while part := rows.fetchmany(ROWS_AT_ONCE):
                for row in part:
                    copy.write_row([_value(each) for each in row])
                count += len(part)
                if tell is not None:
                    tell(table, count)
                pause()
    except Exception as error:
        if getattr(error, "sqlstate", None) is None:
            raise
        raise WrongInput(f"A row of {table} does not fit: {' '.join(str(error).split())}") from error
    return count


def _only(table: str) -> str:
    return f" WHERE {OF_SQLITE}" if table == "notiway_counter" else ""


def _value(value: Any) -> Any:
    return value.replace(NUL, INSTEAD_OF_NUL) if isinstance(value, str) and NUL in value else value


def _set_sequences(target: Any, tables: Sequence[str]) -> None:
    """Numbers that the database gives go on after those that were copied."""
    for table in tables:
        for column in target.get_columns(table):
            name = target.execute_sql("SELECT pg_get_serial_sequence(%s, %s)", (f'"{table}"', column.name)).fetchone()[
                0
            ]
            if name is not None:
                target.execute_sql(
                    f'SELECT setval(%s, (SELECT COALESCE(MAX("{column.name}"), 0) + 1 FROM "{table}"), false)', (name,)
                )


def _check_counts(reading: sqlite3.Connection, target: Any, copied: dict[str, int]) -> None:
    for table, count in copied.items():
        there = reading.execute(f'SELECT COUNT(*) FROM "{table}"{_only(table)}').fetchone()[0]
        here = target.execute_sql(f'SELECT COUNT(*) FROM "{table}"').fetchone()[0]
        if not there == here == count:
            raise WrongInput(f"{table} has {there} rows, {count} were copied and {here} arrived: nothing was moved")
