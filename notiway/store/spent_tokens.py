"""Tokens that work once: a token that was used is kept until it would have ended anyway."""

from __future__ import annotations

import hashlib

from notiway.store.database import db
from notiway.store.tables import SpentToken


def spend(token: str, ends_at: int) -> bool:
    """Use a token up; False if it was used before. `ends_at` is in milliseconds since the epoch."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    with db.atomic():
        spent = SpentToken.insert(id=digest, expires_at=ends_at).on_conflict_ignore()
        return bool(db.rows_affected(db.execute(spent)))
