"""Schema: brings a database's tables up to date, and back."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import peewee
from playhouse.migrations import MigrationError, Runner

from notiway.folders import resources
from notiway.store.attention.table import AttentionSettings
from notiway.store.engine.guard import guard_of
from notiway.store.log import positions
from notiway.store.search.tables import SearchEntry, SearchInbox
from notiway.store.tables import (
    ApiKey,
    AuditEntry,
    Counter,
    InboxCursor,
    InboxItem,
    Membership,
    Notification,
    SpentId,
    SpentToken,
    Task,
    TokenEnd,
)
from notiway.values.errors import WrongInput

TABLES = (
    *(Membership, Notification, InboxItem, InboxCursor, Counter, ApiKey, SpentToken, SpentId, TokenEnd, AuditEntry),
    *(Task, SearchInbox, SearchEntry, AttentionSettings),
)


@dataclass(frozen=True, slots=True)
class Migrations:
    """A folder of migrations, and the table that remembers which of them were applied."""

    folder: Path
    history_table: str


OWN = Migrations(resources("migrations") / "notiway", "notiway_migration")


def pending(database: peewee.Database, sets: Sequence[Migrations] = (OWN,)) -> list[str]:
    """The names of the migrations that this database still needs, in order."""
    rows = [row for each in sets for row in _runner(database, each).status()]
    return [row.name for row in rows if row.path is not None and not row.applied]


def migrate(database: peewee.Database, sets: Sequence[Migrations] = (OWN,)) -> list[str]:
    """Apply all pending migrations; returns their names, without those that another process applied meanwhile.

    >>> schema.migrate(open_database("sqlite:///:memory:"))  # doctest: +SKIP
    ['0001_first_tables', '0002_tasks', '0003_staff', …, '0007_positions']
    """
    with _undisturbed(database):
        applied = [name for each in sets for name in _runner(database, each).up()]
        if OWN in sets:
            positions.number_anew(database)
    return applied


def revert(database: peewee.Database, name: str | None = None, sets: Sequence[Migrations] = (OWN,)) -> list[str]:
    """Undo the last migration, or all of its set from the last back to `name`; `WrongInput` when it is not applied."""
    with _undisturbed(database):
        chosen = _set_of(database, name, sets)
        try:
            reverted: list[str] = _runner(database, chosen).down(name)
        except MigrationError as error:
            raise WrongInput(f"Nothing was reverted: {error}") from error
    return reverted


def what_goes(
    database: peewee.Database, name: str | None = None, sets: Sequence[Migrations] = (OWN,)
) -> dict[str, str]:
    """What `revert` would undo, newest first: each migration's name, and what it made; empty for an unknown name."""
    applied = [row for row in _runner(database, _set_of(database, name, sets)).status() if row.applied and row.path]
    first = next((here for here, row in enumerate(applied) if row.name == name), len(applied))
    if name is None:
        first = len(applied) - 1
    return {row.name: _made_by(Path(row.path)) for row in applied[max(first, 0) :][::-1]}


@contextmanager
def _undisturbed(database: peewee.Database) -> Iterator[None]:
    """Inside, statements may take long, and no other process migrates where the database can see to that."""
    rules = guard_of(database)
    if rules is None:
        yield
        return
    with rules.alone(), rules.unhurried():
        yield


def _set_of(database: peewee.Database, name: str | None, sets: Sequence[Migrations]) -> Migrations:
    """Where the migration of this name was applied, or where the last one was."""
    for each in reversed(sets):
        if any(row.applied and name in (None, row.name) for row in _runner(database, each).status()):
            return each
    return sets[0]


def _made_by(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


def _runner(database: peewee.Database, migrations: Migrations) -> Runner:
    return Runner(database, str(migrations.folder), table_name=migrations.history_table)
