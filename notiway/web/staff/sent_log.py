"""Sent: the log of what staff sent, with who saw it, and the way to take it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notiway.live import runtime
from notiway.store import audit, readers
from notiway.store.readers import Readers
from notiway.store.rows import SEVERAL
from notiway.values.clock import moment
from notiway.values.ids import is_id
from notiway.web.staff.choices import Choice, describe

PAGE = 10  # entries
SHOWN_USERS = 3  # of several, by name; the rest as a number


@dataclass(frozen=True, slots=True)
class Sent:
    """One row of the log."""

    entry: audit.Entry
    by: str
    to: Choice
    readers: Readers
    state: str  # sent, recalled, expired, gone (cleaned up) or transient
    recalled_by: str = ""
    recalled_at: datetime | None = None

    @property
    def at(self) -> datetime:
        return moment(self.entry.at)

    @property
    def may_be_recalled(self) -> bool:
        return self.state == "sent"


def page(before: str | None = None) -> dict[str, Any]:
    """What `notiway/staff/sent/_log.html` needs: a page of the log, and where the next begins."""
    below = before if is_id(before) else None
    found = audit.sends(below, PAGE + 1)
    next_before = found[PAGE - 1].id if len(found) > PAGE else None
    return {"sent": rows(found[:PAGE]), "is_newest": below is None, "next_before": next_before}


def rows(entries: Sequence[audit.Entry]) -> list[Sent]:
    """These entries with everything that is to be seen beside them; five queries and the counts."""
    people = runtime.current().people
    ids = [entry.notification_id for entry in entries if entry.notification_id]
    states = audit.states(ids)
    counted, recalls = readers.of(ids), audit.recalls(ids)
    keys = {key for entry in entries for key in _keys(entry)}
    keys |= {f"user:{each.actor_id}" for each in (*entries, *recalls.values()) if each.actor_id != audit.COMMAND_LINE}
    names = describe(sorted(keys), people)
    return [_row(entry, states, counted, recalls, names) for entry in entries]


def as_dict(row: Sent) -> dict[str, Any]:
    """The row as JSON clients see it; `at` in milliseconds."""
    entry = row.entry
    return {
        "notificationId": entry.notification_id,
        "at": entry.at,
        "by": {"id": entry.actor_id, "name": row.by},
        "audience": entry.audience,
        "to": row.to.label,
        "title": entry.details.get("title"),
        "people": entry.details.get("people"),
        "online": entry.details.get("online"),
        "seen": row.readers.seen,
        "read": row.readers.read,
        "counted": row.readers.whole,
        "state": row.state,
    }


def _row(
    entry: audit.Entry,
    states: dict[str, str],
    counted: dict[str, Readers],
    recalls: dict[str, audit.Entry],
    names: dict[str, Choice],
) -> Sent:
    notification_id = entry.notification_id or ""
    read_by = counted.get(notification_id, Readers(0, 0))
    recall = recalls.get(notification_id)
    state = states.get(notification_id, "gone") if entry.details.get("persist", True) else "transient"
    return Sent(
        entry,
        _actor(entry.actor_id, names),
        _recipients(entry, names),
        read_by,
        "recalled" if recall is not None else state,
        _actor(recall.actor_id, names) if recall is not None else "",
        moment(recall.at) if recall is not None else None,
    )


def _keys(entry: audit.Entry) -> list[str]:
    if entry.audience != SEVERAL:
        return [entry.audience]
    return [f"user:{user_id}" for user_id in entry.details.get("to", [])[:SHOWN_USERS]]


def _recipients(entry: audit.Entry, names: dict[str, Choice]) -> Choice:
    keys = _keys(entry)
    known = [names[key] for key in keys if key in names]
    if entry.audience != SEVERAL:
        return known[0] if known else Choice(entry.audience, "", entry.audience)
    more = len(entry.details.get("to", [])) - len(keys)
    label = ", ".join(choice.label for choice in known) + (f" and {more} more" if more > 0 else "")
    return Choice(SEVERAL, "Users", label)


def _actor(actor_id: str, names: dict[str, Choice]) -> str:
    if actor_id == audit.COMMAND_LINE:
        return "Command line"
    choice = names.get(f"user:{actor_id}")
    return choice.label if choice is not None else actor_id
