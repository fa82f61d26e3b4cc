"""Schema: brings a database's tables up to date, and back."""

from __future__ import annotations

import ast
from pathlib import Path

import peewee
from playhouse.migrations import MigrationError, Runner

from notiway.folders import resources
from notiway.values.errors import WrongInput

HISTORY_TABLE = "notiway_migration"


def migrations_folder() -> Path:
    """Inside the package when it is installed, beside it in the repository."""
    return resources("migrations")


def pending(database: peewee.Database) -> list[str]:
    """The names of the migrations that this database still needs, in order."""
    return [row.name for row in _runner(database).status() if row.path is not None and not row.applied]


def migrate(database: peewee.Database) -> list[str]:
    """Apply all pending migrations; returns their names.

    >>> schema.migrate(open_database("sqlite:///:memory:"))  # doctest: +SKIP
    ['0001_first_tables']
    """
    applied: list[str] = _runner(database).up()
    return applied


def revert(database: peewee.Database, name: str | None = None) -> list[str]:
    """Undo the last migration, or all from the last back to `name`; `WrongInput` when it is not applied."""
    try:
        reverted: list[str] = _runner(database).down(name)
    except MigrationError as error:
        raise WrongInput(f"Nothing was reverted: {error}") from error
    return reverted


def what_goes(database: peewee.Database, name: str | None = None) -> dict[str, str]:
    """What `revert` would undo, newest first: each migration's name, and what it made; empty for an unknown name."""
    applied = [row for row in _runner(database).status() if row.applied and row.path is not None]
    first = next((here for here, row in enumerate(applied) if row.name == name), len(applied))
    if name is None:
        first = len(applied) - 1
    return {row.name: _made_by(Path(row.path)) for row in applied[max(first, 0) :][::-1]}


def _made_by(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


def _runner(database: peewee.Database) -> Runner:
    return Runner(database, str(migrations_folder()), table_name=HISTORY_TABLE)
