"""Fresh: a migrated database of its own and the verbs on it, without the pages: made in a few milliseconds."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import peewee
from flask import Flask

from notiway.live import runtime
from notiway.live.delivery.listeners import Listeners
from notiway.live.limits.seen_ids import SeenIds
from notiway.store import schema
from notiway.store.database import open_database, use_database
from notiway.store.tables import InboxItem, Notification
from notiway.values.config import Config
from notiway.values.event import Event
from notiway.values.kinds.registry import Kinds

KNOWN_USERS = frozenset({"ada", "bob", "cy"})


class Undo(Exception):
    """Raised to roll a transaction back."""


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        opened = open_database(f"sqlite:///{path}")
        schema.migrate(opened)
        opened.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        opened.close_all()
        return path.read_bytes()


@contextmanager
def fresh_database(place: Path | str) -> Iterator[peewee.Database]:
    """An empty database with all tables, bound to the models: SQLite in a folder, or one that has its URL already."""
    if isinstance(place, Path):
        path = place / "fresh.db"
        path.write_bytes(_migrated())
        place = f"sqlite:///{path}"
    opened = open_database(place)
    use_database(opened)
    try:
        yield opened
    finally:
        opened.close_all()


def stored() -> tuple[int, int]:
    """How many notifications and inbox items there are."""
    return Notification.select().count(), InboxItem.select().count()


def statements(opened: peewee.Database) -> dict[str, str]:
    """Every table and index of Notiway as SQL, written in one way."""
    rows = opened.execute_sql(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name LIKE 'notiway_%' AND tbl_name <> ?",
        (schema.OWN.history_table,),
    ).fetchall()
    return {name: re.sub(r"\s+", " ", sql.replace("IF NOT EXISTS ", "")) for name, sql in rows}


class Notebook:
    """A broker that writes down what was published; `fault` is raised instead when it is set."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.later: list[Event] = []
        self.gaps: list[Collection[str] | None] = []
        self.fault: Exception | None = None
        self.on_publish: Callable[[Event], None] | None = None

    def publish(self, events: Sequence[Event]) -> None:
        for event in events:
            if self.fault is not None:
                raise self.fault
            if self.on_publish is not None:
                self.on_publish(event)
            self.events.append(event)

    def tell_gap(self, audiences: Collection[str] | None) -> None:
        self.gaps.append(audiences)

    def tell_later(self, events: Sequence[Event]) -> None:
        self.later += events

    @property
    def kinds(self) -> list[tuple[str, str]]:
        return [(event.kind, event.audience) for event in self.events]

    def clear(self) -> None:
        self.events.clear()


@contextmanager
def verbs(place: Path | str) -> Iterator[Notebook]:
    """A fresh database, and an application context in which the verbs publish to a notebook.

    The users are `KNOWN_USERS`.
    """
    app = Flask("fresh")
    notebook = Notebook()
    known: Any = lambda ids: set(ids) - KNOWN_USERS  # noqa: E731
    app.extensions[runtime.KEY] = SimpleNamespace(
        config=Config(),
        broker=notebook,
        unknown_users=known,
        people=None,
        kinds=Kinds(),
        seen_ids=SeenIds(),
        presence=SimpleNamespace(is_shared=False, online=int, among=lambda ids: set(), users_of=lambda key: set()),
        is_heard=lambda audience: True,
        heard_among=lambda audiences: audiences,  # by whom the notebook stands for
        hub=SimpleNamespace(user_ids=set, listeners=Listeners()),  # nobody is connected
        snoozes=SimpleNamespace(expect=lambda until: None),
    )
    with fresh_database(place), app.app_context():
        yield notebook
