"""The catalogue: for large inboxes that are searched, which items hold which parts of words.

Nothing is listed when something is sent. An inbox comes in when a search in it ended early, and a job lists what it
holds, in the order of the log; what came since then is looked at besides. Whatever the catalogue names is looked up in
the inbox and read before it is shown: entries of removed items, and numbers that two texts share, cost a look.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from notiway.pausing import in_stretches, pause
from notiway.store.database import db
from notiway.store.engine.faults import DatabaseUnavailable
from notiway.store.log import positions, pulling
from notiway.store.search import tokens
from notiway.store.search.filters import Filters
from notiway.store.sql import IF_IT_STAYS, has_one_writer, in_batches, marks, run
from notiway.values.clock import DAY_MS, now_ms

log = logging.getLogger(__name__)

LISTED = 2_000  # items that one search takes from the catalogue at most; more than that are found by walking
UNLISTED = 1_000  # newer ones that it looks at besides
WINDOW = 50_000  # entries that one statement looks through
SLICE = 100  # items that are listed at once
TOKENS = 8_000  # of them in one transaction: a few milliseconds
MERGED = 8  # pages of FTS5's parts, after each transaction: about a millisecond
PAUSE_SECONDS = 0.01  # after each transaction: the job has time
KEPT_DAYS = 30  # since the last search; then an inbox leaves the catalogue

READY = (
    "SELECT 1 FROM sqlite_master m CROSS JOIN pragma_module_list p"
    " WHERE m.name = 'notiway_search_words' AND p.name = 'fts5'"
)
LAST = (
    "SELECT i.position, i.notification_id FROM notiway_search_entry e CROSS JOIN notiway_inbox_item i"
    " WHERE i.user_id = e.user_id AND i.notification_id = e.notification_id AND e.user_id = ?"
    " ORDER BY e.number DESC LIMIT 1"
)
AFTER = "i.user_id = ? AND (i.position, i.notification_id) > (?, ?)"
UNLISTED_IDS = f"SELECT i.notification_id FROM notiway_inbox_item i WHERE {AFTER} LIMIT ?"
CONTENT = "n.id, n.type, n.source, n.priority, n.title, n.message"
NEXT = (
    f"SELECT {CONTENT}, i.position FROM notiway_inbox_item i CROSS JOIN notiway_notification n"
    f" WHERE n.id = i.notification_id AND {AFTER} AND i.position < ? ORDER BY i.position, i.notification_id LIMIT ?"
)
ENTER = (
    "INSERT INTO notiway_search_entry (user_id, notification_id)"
    " SELECT ?, n.id FROM notiway_notification n WHERE n.id IN ({ids}) ORDER BY n.position, n.id"
    " ON CONFLICT (notification_id, user_id) DO NOTHING RETURNING number, notification_id"
)
ENTER_WITH_WORDS = (
    "INSERT INTO notiway_search_entry (user_id, notification_id, words)"
    f" SELECT ?, n.id, v.words FROM (VALUES {{rows}}) AS v (id, words) JOIN notiway_notification n ON n.id = v.id"
    f" ORDER BY n.position, n.id{IF_IT_STAYS} ON CONFLICT (notification_id, user_id) DO NOTHING"
)
ENTRIES = (
    f"SELECT e.number, e.user_id, {CONTENT} FROM notiway_search_entry e CROSS JOIN notiway_notification n"
    " WHERE n.id = e.notification_id AND {condition}"
)


def look_up(user_id: str, filters: Filters, before: str | None) -> list[str] | None:
    """The ids of all items below the id `before` that may pass the filters, newest first.

    None where only a walk can tell: the inbox is not listed, or too much of it may pass.
    """
    wanted = tokens.of_search(user_id, filters)
    last = run(LAST, (user_id,)).fetchone() if wanted is not None and is_ready() else None
    if wanted is None or last is None:
        return None
    newer = run(UNLISTED_IDS, (user_id, *last, UNLISTED + 1)).fetchall()
    if len(newer) > UNLISTED:
        return None
    ids = {row[0] for row in newer}
    count = 0
    for part in _found(user_id, wanted):
        ids |= set(part)
        count += len(part)
        if count > LISTED:
            return None
    return sorted((each for each in ids if before is None or each < before), reverse=True)


def ask(user_id: str) -> None:
    """Note that this inbox is searched; the job lists it, and keeps it listed for `KEPT_DAYS`."""
    now = now_ms()
    known = run("SELECT asked_at FROM notiway_search_inbox WHERE user_id = ?", (user_id,)).fetchone()
    if known is not None and known[0] > now - DAY_MS:
        return
    try:
        run(
            "INSERT INTO notiway_search_inbox (user_id, asked_at) VALUES (?, ?)"
            " ON CONFLICT (user_id) DO UPDATE SET asked_at = excluded.asked_at",
            (user_id, now),
        )
    except DatabaseUnavailable as error:
        log.warning("a large inbox could not be noted for listing, its next search will try again: %s", error)


def follow() -> int:
    """List what is new in the inboxes that are searched, and drop those that no longer are; how many items were listed.

    Others run in between. Two that do this at once do it once.
    """
    if not is_ready():
        return 0
    since = now_ms() - KEPT_DAYS * DAY_MS
    rows = run("SELECT user_id, asked_at FROM notiway_search_inbox ORDER BY user_id").fetchall()
    for user_id, asked_at in rows:
        if asked_at < since:
            _drop(user_id)
    return sum(_list(user_id) for user_id, asked_at in rows if asked_at >= since)


def forget(notification_ids: Sequence[str]) -> None:
    """Take these notifications out, before they are removed themselves."""
    if not has_one_writer():  # there the rows go with the notification
        return
    for part in in_batches(notification_ids, SLICE):
        if rows := run(ENTRIES.format(condition=f"e.notification_id IN ({marks(part)})"), part).fetchall():
            _take_out(rows)


def is_ready() -> bool:
    """Whether there is a catalogue: a SQLite that was built without FTS5 has none."""
    return not has_one_writer() or run(READY).fetchone() is not None


def _found(user_id: str, wanted: Sequence[int]) -> Iterator[list[str]]:
    """The ids of the entries with all these tokens, the newest entries first, as much as one statement may find."""
    lowest, highest = run(
        "SELECT (SELECT MIN(number) FROM notiway_search_entry WHERE user_id = ?),"
        " (SELECT MAX(number) FROM notiway_search_entry WHERE user_id = ?)",
        (user_id, user_id),
    ).fetchone()
    if not has_one_writer():
        yield _ids(
            "SELECT notification_id FROM notiway_search_entry WHERE words @> CAST(? AS integer[]) LIMIT ?",
            (list(wanted), LISTED + 1),
        )
        return
    words = " ".join(f'"{token:x}"' for token in wanted)
    while highest is not None and highest >= lowest:
        yield _ids(
            "SELECT e.notification_id FROM notiway_search_words w CROSS JOIN notiway_search_entry e"
            " WHERE notiway_search_words MATCH ? AND w.rowid BETWEEN ? AND ? AND e.number = w.rowid LIMIT ?",
            (words, highest - WINDOW + 1, highest, LISTED + 1),
        )
        highest -= WINDOW
        pause()


def _ids(query: str, params: Sequence[Any]) -> list[str]:
    return [row[0] for row in run(query, params).fetchall()]


def _list(user_id: str) -> int:
    """List what this inbox holds more than the catalogue, as far as that is decided."""
    decided = positions.decided()
    pulling.pull([user_id])  # nothing comes to stand before `decided` any more
    last = run(LAST, (user_id,)).fetchone() or (positions.LOWEST, "")
    count = 0
    while True:
        rows = run(NEXT, (user_id, *last, decided, SLICE)).fetchall()
        for part in _parts(user_id, rows):
            with db.atomic():
                count += _enter(user_id, part)
            _settle()
        if len(rows) < SLICE:
            return count
        last = rows[-1][6], rows[-1][0]


def _parts(user_id: str, rows: Sequence[Any]) -> Iterator[dict[str, list[int]]]:
    """The tokens of these items by id, in their order, so many at once."""
    part: dict[str, list[int]] = {}
    size = 0
    for row in in_stretches(rows):
        part[row[0]] = _tokens(user_id, row)
        size += len(part[row[0]])
        if size > TOKENS:
            yield part
            part, size = {}, 0
    if part:
        yield part


def _tokens(user_id: str, row: Sequence[Any]) -> list[int]:
    _, type, source, priority, title, message = row[:6]
    return tokens.of_item(user_id, {"type": type, "source": source, "priority": priority}, title, message)


def _enter(user_id: str, part: dict[str, list[int]]) -> int:
    if not has_one_writer():
        rows = ", ".join(["(?, CAST(? AS integer[]))"] * len(part))
        values = [value for pair in part.items() for value in pair]
        entered: int = run(ENTER_WITH_WORDS.format(rows=rows), (user_id, *values)).rowcount
        return entered
    numbers = run(ENTER.format(ids=marks(list(part))), (user_id, *part)).fetchall()
    for number, notification_id in numbers:
        _write(number, part[notification_id])
    return len(numbers)


def _write(number: int, found: Sequence[int], *, gone: bool = False) -> None:
    """Put an entry's tokens there, or take them away again."""
    columns, values = ("rowid, words", ()) if not gone else ("notiway_search_words, rowid, words", ("delete",))
    run(
        f"INSERT INTO notiway_search_words ({columns}) VALUES ({marks(columns.split())})",
        (*values, number, " ".join(f"{token:x}" for token in found)),
    )


def _settle() -> None:
    """After a transaction: bring together a little of what was written, and let others run."""
    if has_one_writer() and is_ready():
        pause()
        run("INSERT INTO notiway_search_words (notiway_search_words, rank) VALUES ('merge', ?)", (MERGED,))
    pause(PAUSE_SECONDS)


def _drop(user_id: str) -> None:
    """Take a whole inbox out."""
    while rows := run(ENTRIES.format(condition="e.user_id = ?") + " LIMIT ?", (user_id, SLICE)).fetchall():
        _take_out(rows)
    run("DELETE FROM notiway_search_inbox WHERE user_id = ?", (user_id,))


def _take_out(rows: Sequence[Any]) -> None:
    """Remove entries; `rows` as `ENTRIES` reads them."""
    has_words = has_one_writer() and is_ready()
    words = [(row[0], _tokens(row[1], row[2:])) for row in in_stretches(rows)] if has_words else []
    with db.atomic():
        run(f"DELETE FROM notiway_search_entry WHERE number IN ({marks(rows)})", [row[0] for row in rows])
        for number, found in words:
            _write(number, found, gone=True)
    _settle()
