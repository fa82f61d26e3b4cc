"""Spent ids: what was sent once and is stored no more must not be sent again for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from notiway.store.sql import in_batches, marks, run
from notiway.values.clock import DAY_MS

DAYS = 7.0  # an id is remembered at least so long after it was sent
KEEP = (
    "INSERT INTO notiway_spent_id (publisher, dedupe_key, notification_id, audience, name, spent_at)"
    " SELECT publisher, dedupe_key, id, audience, name, CASE WHEN created_at > ? THEN ? ELSE created_at END"
    " FROM notiway_notification"
    " WHERE id = ? AND created_at > ? AND publisher IS NOT NULL AND dedupe_key IS NOT NULL"
    " ON CONFLICT (publisher, dedupe_key) DO NOTHING"
)
FORGOTTEN = "SELECT publisher, dedupe_key FROM notiway_spent_id WHERE spent_at <= ? ORDER BY spent_at LIMIT ?"


@dataclass(frozen=True, slots=True)
class SpentId:
    """What is left of a notification: whose id, which notification, and what it was."""

    notification_id: str
    audience: str
    name: str


def among(publisher: str, dedupe_keys: Sequence[str]) -> dict[str, SpentId]:
    """Those of a publisher's keys under which something was sent that is stored no more."""
    found: dict[str, SpentId] = {}
    for part in in_batches(dedupe_keys):
        rows = run(
            "SELECT dedupe_key, notification_id, audience, name FROM notiway_spent_id"
            f" WHERE publisher = ? AND dedupe_key IN ({marks(part)})",
            (publisher, *part),
        ).fetchall()
        found |= {key: SpentId(*rest) for key, *rest in rows}
    return found


def keep(notification_id: str, now: int, days: float) -> None:
    """Remember the id of a notification that is about to be removed; inside the transaction that removes it."""
    run(KEEP, (now, now, notification_id, int(now - days * DAY_MS)))


def forget(now: int, days: float, limit: int) -> bool:
    """Forget ids that were sent longer ago than so many days, `limit` at most; whether there were any."""
    old = run(FORGOTTEN, (int(now - days * DAY_MS), limit)).fetchall()
    for publisher, key in old:
        run("DELETE FROM notiway_spent_id WHERE publisher = ? AND dedupe_key = ?", (publisher, key))
    return bool(old)
