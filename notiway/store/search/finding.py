"""Finding: what a search answers: from the newest items, then from the catalogue, or by walking on as far as it may."""

from __future__ import annotations

from notiway.pausing import pause
from notiway.store.rows import FROM_INBOX, VISIBLE
from notiway.store.search import catalogue, walking
from notiway.store.search.filters import Filters
from notiway.store.search.walking import Part
from notiway.store.sql import run
from notiway.values.clock import now_ms

SOURCES_OF = 1_000  # newest items whose sources are offered as a filter


def newest(user_id: str, filters: Filters, *, now: int, before: str | None, limit: int) -> Part:
    """The newest items of the user that pass the filters, `limit` at most, older than `before`; `now` in ms.

    In a large inbox a search may end before it has found as many, and says how far it looked.
    """
    first = walking.walk(user_id, filters, now=now, before=before, limit=limit, parts=1)
    if first.reached is None:
        return first
    pause()
    rest = limit - len(first.items)
    listed = catalogue.look_up(user_id, filters, first.reached)
    if listed is not None:
        items = walking.among(user_id, filters, listed, now=now, limit=rest)
        more = Part(items, None)
    else:
        more = walking.walk(user_id, filters, now=now, before=first.reached, limit=rest, parts=walking.PARTS - 1)
    if listed is not None or more.reached is not None:
        catalogue.ask(user_id)
    return Part(first.items + more.items, more.reached)


def sources(user_id: str, limit: int = 50) -> list[str]:
    """The sources that the user's newest items name, for a filter."""
    rows = run(
        f"SELECT DISTINCT source FROM (SELECT n.source {FROM_INBOX} AND i.deleted_at IS NULL AND {VISIBLE}"
        " ORDER BY i.notification_id DESC LIMIT ?) AS newest WHERE source IS NOT NULL LIMIT ?",
        (user_id, now_ms(), SOURCES_OF, limit),
    )
    return sorted(row[0] for row in rows.fetchall())
