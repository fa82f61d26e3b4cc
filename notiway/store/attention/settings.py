"""Settings: how notifications may ask for a user's attention; one row for each user who has changed something."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from notiway.store.database import db
from notiway.store.sql import run
from notiway.values.attention.attention import Attention

log = logging.getLogger(__name__)

# Takes hold of the row, so that of two changes at once each builds on the other.
TAKE = (
    "INSERT INTO notiway_attention (user_id, revision, settings) VALUES (?, 1, '{}') ON CONFLICT (user_id)"
    " DO UPDATE SET revision = notiway_attention.revision + 1 RETURNING revision, settings"
)


def read(user_id: str) -> tuple[Attention, int]:
    """A user's settings, and the number of their last change; 0 where there was none."""
    row = run("SELECT settings, revision FROM notiway_attention WHERE user_id = ?", (user_id,)).fetchone()
    return (Attention(), 0) if row is None else (_parsed(user_id, row[0]), row[1])


def change(user_id: str, make: Callable[[Attention], Attention]) -> tuple[Attention, int]:
    """Store what `make` makes of a user's settings; returns them, and the number of this change.

    What `make` raises leaves all as it was.
    """
    with db.atomic():
        revision, stored = run(TAKE, (user_id,)).fetchone()
        attention = make(_parsed(user_id, stored))
        text = json.dumps(attention.as_dict(), separators=(",", ":"), ensure_ascii=False)
        run("UPDATE notiway_attention SET settings = ? WHERE user_id = ?", (text, user_id))
        # A page that was drawn before and opens its line behind this compares itself with the server.
        run("UPDATE notiway_inbox_cursor SET changes = changes + 1 WHERE user_id = ?", (user_id,))
    return attention, revision


def _parsed(user_id: str, text: str) -> Attention:
    try:
        return Attention.from_dict(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # Only other hands write what cannot be read; the bell rings as for anyone who has changed nothing.
        log.error("the stored settings of user %s are left out: %s. Correct or remove them", user_id, error)
        return Attention()
