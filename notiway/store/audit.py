"""Audit: what staff did. A row is written in the transaction of the act, so none happens without its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from notiway.store.database import db
from notiway.store.sql import marks, run
from notiway.store.tables import AuditEntry
from notiway.values.clock import now_ms
from notiway.values.errors import Forbidden
from notiway.values.ids import new_id

COMMAND_LINE = "cli"  # the actor of what an operator did in a shell

Action = Literal["send", "recall"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One act; `at` is in milliseconds since the epoch. `audience` is a key, or `users` for several."""

    id: str
    at: int
    actor_id: str
    action: str
    notification_id: str | None
    audience: str
    details: dict[str, Any]


def record(
    actor_id: str,
    action: Action,
    audience: str,
    *,
    notification_id: str | None = None,
    form_key: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> Entry:
    """Write a row; `RuntimeError` outside a transaction, where it could stay behind without its act.

    >>> audit.record("42", "recall", "global", notification_id=row.id)  # doctest: +SKIP
    """
    if not db.in_transaction():
        raise RuntimeError("write an audit row in the transaction of the change that it records")
    row = AuditEntry.create(
        id=new_id(),
        at=now_ms(),
        actor_id=actor_id,
        action=action,
        notification_id=notification_id,
        audience=audience,
        form_key=form_key,
        details=dict(details or {}),
    )
    return _entry(row)


def sent_by_form(actor_id: str, form_key: str) -> Entry | None:
    """What this form sent before; `Forbidden` if somebody else sent it."""
    row = AuditEntry.get_or_none(AuditEntry.form_key == form_key)
    if row is not None and row.actor_id != actor_id:
        raise Forbidden("This form belongs to somebody else. Load the page again.")
    return None if row is None else _entry(row)


def sends(before: str | None = None, limit: int = 20) -> list[Entry]:
    """What was sent, newest first, older than the row `before`."""
    rows = AuditEntry.select().where(AuditEntry.action == "send")
    if before:
        rows = rows.where(AuditEntry.id < before)
    return [_entry(row) for row in rows.order_by(AuditEntry.id.desc()).limit(limit)]


def send_of(notification_id: str) -> Entry | None:
    """The act that sent this notification."""
    mine = (AuditEntry.notification_id == notification_id) & (AuditEntry.action == "send")
    row = AuditEntry.get_or_none(mine)
    return None if row is None else _entry(row)


def recalls(notification_ids: Sequence[str]) -> dict[str, Entry]:
    """Who recalled these, by notification."""
    rows = AuditEntry.select().where(
        (AuditEntry.action == "recall") & AuditEntry.notification_id.in_(list(notification_ids))
    )
    return {str(row.notification_id): _entry(row) for row in rows}


def states(notification_ids: Sequence[str]) -> dict[str, str]:
    """What became of each of these that is still stored: sent, recalled or expired."""
    rows = run(
        "SELECT id, CASE WHEN recalled_at IS NOT NULL THEN 'recalled'"
        " WHEN expires_at <= ? THEN 'expired' ELSE 'sent' END"
        f" FROM notiway_notification WHERE id IN ({marks(notification_ids) or 'NULL'})",
        (now_ms(), *notification_ids),
    ).fetchall()
    return {row[0]: row[1] for row in rows}


def _entry(row: AuditEntry) -> Entry:
    return Entry(row.id, row.at, row.actor_id, row.action, row.notification_id, row.audience, row.details)
