"""Tokens that are no longer good: used ones that work once, and client tokens that ended before their time."""

from __future__ import annotations

import hashlib

from notiway.store.database import db
from notiway.store.sql import run
from notiway.store.tables import SpentToken
from notiway.values.clock import now_ms

TICKET_SECONDS = 30  # between asking for one and connecting with it
# The later end stays: a clock that ran back brings no token back.
END = (
    "INSERT INTO notiway_token_end (user_id, ended_at) VALUES (?, ?) ON CONFLICT (user_id)"
    " DO UPDATE SET ended_at = excluded.ended_at WHERE excluded.ended_at > notiway_token_end.ended_at"
)
# Every request with a token asks this.
HAS_ENDED = (
    "SELECT EXISTS (SELECT 1 FROM notiway_token_end WHERE user_id = ? AND ended_at >= ?)"
    " OR EXISTS (SELECT 1 FROM notiway_api_key WHERE id = ? AND revoked_at IS NOT NULL)"
)


def end(user_id: str, now: int | None = None) -> None:
    """Every client token of the user that was issued up to `now` (milliseconds; the present) is over."""
    run(END, (user_id, now_ms() if now is None else now))


def has_ended(user_id: str, issued_at: int, key_id: str | None) -> bool:
    """Whether a token that was issued then (milliseconds), at this API key's request, is over."""
    return bool(run(HAS_ENDED, (user_id, issued_at, key_id or "")).fetchone()[0])


def ended_at(user_id: str) -> int:
    """The last end of the user's tokens, in milliseconds; 0 for none."""
    row = run("SELECT ended_at FROM notiway_token_end WHERE user_id = ?", (user_id,)).fetchone()
    return 0 if row is None else int(row[0])


def spend(token: str, ends_at: int) -> bool:
    """Use up a token that works once; False if it was used before.

    It is kept until `ends_at` (milliseconds since the epoch), when it would have ended anyway.
    """
    with db.atomic():
        spent = SpentToken.insert(id=_digest(token), expires_at=ends_at).on_conflict_ignore()
        return bool(db.rows_affected(db.execute(spent)))


def end_session(name: str) -> None:
    """Remember that a login session is over, for as long as there may be tickets of it."""
    spend(_mark(name), now_ms() + TICKET_SECONDS * 1000)


def session_is_over(name: str | None) -> bool:
    """Whether a login session ended lately; `name` is None where there is none."""
    found = "SELECT EXISTS (SELECT 1 FROM notiway_spent_token WHERE id = ?)"
    return name is not None and bool(run(found, (_digest(_mark(name)),)).fetchone()[0])


def _mark(name: str) -> str:
    return f"session {name}"  # no token has a space in it


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
