"""Proxy: the one name under which Notiway's queries know the database, whichever application they run for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import peewee

log = logging.getLogger(__name__)

Find = Callable[[], peewee.Database | None]


class Proxy(peewee.DatabaseProxy):
    """The database of the application whose context this is; without a context the one that was bound last.

    A process may hold several applications, each with its own database: a notification must not land in another's.
    A transaction stays with the database that it began on, whatever contexts lie inside it.
    """

    def __init__(self) -> None:
        object.__setattr__(self, "_last", None)
        object.__setattr__(self, "_bound", WeakSet())
        object.__setattr__(self, "_are_several", False)  # or have been
        object.__setattr__(self, "_find", lambda: None)
        super().__init__()

    @property
    def obj(self) -> Any:
        if self._are_several:  # one application, as nearly everywhere, costs nothing
            found = self._find()
            if found is not None:
                return found
        return self._last

    @obj.setter
    def obj(self, database: peewee.Database | None) -> None:
        object.__setattr__(self, "_last", database)
        if database is not None:
            self._bound.add(database)
            object.__setattr__(self, "_are_several", len(self._bound) > 1)

    def follow(self, find: Find) -> None:
        """Ask `find` for the database of the current application; it returns None outside of any."""
        object.__setattr__(self, "_find", find)

    def after_commit(self, call: Callable[[], Any]) -> None:
        """Run this after the outermost commit. A fault of it is logged: what was committed stays committed.

        Whoever was told of the fault would take the whole for failed, and do it again.
        """

        def ring() -> None:
            try:
                call()
            except Exception:
                log.exception("it is stored, but not everybody was told; clients see it when they reconnect")

        self.obj.after_commit(ring)

    def atomic(self, *args: Any, **options: Any) -> Any:
        return self.obj.atomic(*args, **options)

    def transaction(self, *args: Any, **options: Any) -> Any:
        return self.obj.transaction(*args, **options)

    def savepoint(self) -> Any:
        return self.obj.savepoint()

    def manual_commit(self) -> Any:
        return self.obj.manual_commit()

    def connection_context(self) -> Any:
        return self.obj.connection_context()
