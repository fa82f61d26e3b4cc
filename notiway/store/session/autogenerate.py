"""Autogenerate: Alembic's leaves Notiway's tables alone, which come and go with `flask notiway migrate`."""

from __future__ import annotations

import sys
from typing import Any

PREFIX = "notiway_"

_taught: set[int] = set()  # which registries of Alembic know it


def leave_tables_alone() -> None:
    """Teach it to Alembic, where this process has loaded that; a second call changes nothing.

    Alembic would drop every table that is in the database and in no model.
    """
    if "alembic.autogenerate" not in sys.modules:
        return
    from alembic.autogenerate import comparators

    if id(comparators) not in _taught:
        _taught.add(id(comparators))
        _after_others(comparators)(_keep)


def _after_others(comparators: Any) -> Any:
    try:
        from alembic.util import DispatchPriority
    except ImportError:  # before 1.18: in the order in which they were added
        return comparators.dispatch_for("schema")
    return comparators.dispatch_for("schema", priority=DispatchPriority.LAST)


def _keep(autogen_context: Any, upgrade_ops: Any, schemas: Any) -> Any:
    """Take out what would change a table of ours that no model of the application's names."""
    del schemas
    theirs = {table.name for table in autogen_context.sorted_tables}
    upgrade_ops.ops[:] = [
        each
        for each in upgrade_ops.ops
        if not str(getattr(each, "table_name", "")).startswith(PREFIX) or each.table_name in theirs
    ]
