"""Finding: what a search answers, from the newest items first, and from the catalogue of a large inbox then."""

from __future__ import annotations

from notiway.store.search import walking
from notiway.store.search.filters import Filters
from notiway.store.search.walking import Part


def newest(user_id: str, filters: Filters, *, now: int, before: str | None, limit: int) -> Part:
    """The newest items of the user that pass the filters, `limit` at most, older than `before`; `now` in ms."""
    return walking.walk(user_id, filters, now=now, before=before, limit=limit)
