"""Batches: many notifications stored at once, with as few statements as one takes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from notiway.pausing import in_stretches
from notiway.store import writing
from notiway.store.log import positions
from notiway.store.sql import has_one_writer, in_batches, marks, run, run_many
from notiway.values.audience import Audience, AudienceType
from notiway.values.draft import Draft
from notiway.values.ids import id_after, new_ids

ROWS_AT_ONCE = 200  # in one call of the driver, which lets nobody else run: some milliseconds
COLUMNS = (
    "id", "audience", "name", "type", "priority", "title", "message", "body", "action_url", "group_key", "source",
    "actor", "producer", "dedupe_key", "sent_at", "created_at", "expires_at", "publisher", "details",
)  # fmt: skip
PLACED = (*COLUMNS, "position", "horizon")
INSERT = "INSERT INTO notiway_notification ({}) VALUES ({}) ON CONFLICT (publisher, dedupe_key) DO NOTHING"
PUSHED = "user_id, notification_id, created_at, position, group_key"
PUSH = f"INSERT INTO notiway_inbox_item ({PUSHED}) VALUES (?, ?, ?, ?, ?)"
# PostgreSQL: a column comes as one array, so that a batch is two statements whatever its size.
NUMBERS = ("sent_at", "created_at", "expires_at")
ARRAYS = ", ".join(f"CAST(? AS {'bigint' if name in NUMBERS else 'text'}[])" for name in COLUMNS)
INSERT_ALL = (
    f"INSERT INTO notiway_notification ({', '.join(COLUMNS)}) SELECT {', '.join(COLUMNS)}"
    f" FROM unnest({ARRAYS}) WITH ORDINALITY AS row ({', '.join(COLUMNS)}, place) ORDER BY place"
    " ON CONFLICT (publisher, dedupe_key) DO NOTHING RETURNING id"
)
PUSH_ALL = (
    f"INSERT INTO notiway_inbox_item ({PUSHED}) SELECT user_id, id, ?, {positions.OWN}, group_key"
    " FROM unnest(CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[])) AS row (user_id, id, group_key)"
    " ORDER BY 1, 2"
)
TAKEN = (
    "SELECT dedupe_key FROM notiway_notification WHERE publisher = ? AND dedupe_key IN ({0})"
    " UNION ALL SELECT dedupe_key FROM notiway_spent_id WHERE publisher = ? AND dedupe_key IN ({0})"
)


class Entry(NamedTuple):
    """A checked draft with its dedupe key, whom it is for, and its body's JSON text where that was made already."""

    draft: Draft
    audience: Audience
    body_text: str | None = None


def taken(publisher: str, dedupe_keys: Sequence[str]) -> set[str]:
    """Those of a publisher's keys under which something was stored, whether it is still there or not."""
    found: set[str] = set()
    for part in in_batches(dedupe_keys):
        rows = run(TAKEN.format(marks(part)), (publisher, *part, publisher, *part)).fetchall()
        found.update(row[0] for row in rows)
    return found


def insert(entries: Sequence[Entry], created_at: int) -> list[str | None]:
    """Store these, each in the inbox of its user where it is for one; the ids, None for a key that is taken.

    Call it inside a transaction. No key may come twice. Ids rise in the order of the entries.
    """
    used = _used(entries)
    if used:
        free = [(each.draft.publisher, each.draft.dedupe_key) not in used for each in entries]
        stored = iter(insert([each for each, is_free in zip(entries, free, strict=True) if is_free], created_at))
        return [next(stored) if is_free else None for is_free in free]
    if not entries:
        return []
    return _in_one_go(entries, created_at) if has_one_writer() else _among_others(entries, created_at)


def _in_one_go(entries: Sequence[Entry], created_at: int) -> list[str | None]:
    """Where nobody else writes meanwhile: what was free when it was looked up is free when it is inserted."""
    ids = _rising(writing.newest_id(), new_ids(len(entries)))
    place = positions.reserve(len(entries))
    rows, pushed = [], []
    for position, (entry, notification_id) in enumerate(zip(in_stretches(entries), ids, strict=True), place):
        rows.append((*_values(entry, notification_id, created_at), position, position + 1))
        if entry.audience.type is AudienceType.USER:
            pushed.append((entry.audience.value, notification_id, created_at, position, entry.draft.group_key))
    text = INSERT.format(", ".join(PLACED), marks(PLACED))
    for part in in_batches(rows, ROWS_AT_ONCE):
        run_many(text, part)
    for part in in_batches(pushed, ROWS_AT_ONCE):
        run_many(PUSH, part)
    return list(ids)


def _among_others(entries: Sequence[Entry], created_at: int) -> list[str | None]:
    """Where others write at the same time: in the order of the keys, or two batches could wait for each other."""
    ids = new_ids(len(entries))
    order = sorted(range(len(entries)), key=lambda number: entries[number].draft.dedupe_key or "")
    order.sort(key=lambda number: entries[number].draft.publisher)
    rows = [_values(entries[number], ids[number], created_at) for number in in_stretches(order)]
    stored: set[str] = set()
    for part in in_batches(rows, ROWS_AT_ONCE):
        columns = [list(column) for column in zip(*part, strict=True)]
        stored.update(row[0] for row in run(INSERT_ALL, columns).fetchall())
    pushed = [
        (entry.audience.value, notification_id, entry.draft.group_key)
        for entry, notification_id in zip(entries, ids, strict=True)
        if notification_id in stored and entry.audience.type is AudienceType.USER
    ]
    for share in in_batches(pushed, ROWS_AT_ONCE):
        run(PUSH_ALL, (created_at, *(list(column) for column in zip(*share, strict=True))))
    return [notification_id if notification_id in stored else None for notification_id in ids]


def _used(entries: Sequence[Entry]) -> set[tuple[str, str | None]]:
    by_publisher: dict[str, list[str]] = {}
    for entry in entries:
        if entry.draft.dedupe_key is not None:
            by_publisher.setdefault(entry.draft.publisher, []).append(entry.draft.dedupe_key)
    return {(publisher, key) for publisher, keys in by_publisher.items() for key in taken(publisher, keys)}


def _rising(newest: str | None, fresh: list[str]) -> list[str]:
    """These ids, each above the one before it and above what is stored."""
    if newest is None or fresh[0] > newest:
        return fresh
    rising = []
    for each in fresh:
        newest = each if each > newest else id_after(newest)
        rising.append(newest)
    return rising


def _values(entry: Entry, notification_id: str, created_at: int) -> tuple[Any, ...]:
    draft, text = entry.draft, entry.body_text
    if text is None and draft.body is not None:
        text = _json_of(draft.body)
    details = None if draft.details is None else _json_of(draft.details)
    return (
        notification_id, entry.audience.key, draft.name, draft.type, draft.priority, draft.title, draft.message, text,
        draft.action_url, draft.group_key, draft.source, draft.actor, draft.producer, draft.dedupe_key, draft.sent_at,
        created_at, draft.expires_at, draft.publisher, details,
    )  # fmt: skip


def _json_of(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
