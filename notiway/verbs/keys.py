"""API keys as a verb: a key that ends takes along what was opened with it."""

from __future__ import annotations

from notiway.store.credentials import api_keys
from notiway.store.database import db
from notiway.values import security_log
from notiway.verbs.sign_out import sign_out_key


def revoke(name_or_id: str) -> None:
    """End a key, the client tokens that it asked for, and their open connections; raises `NotFound`.

    >>> keys.revoke("billing")  # doctest: +SKIP
    """
    with db.atomic():
        key_id = api_keys.revoke(name_or_id)
        db.after_commit(lambda: sign_out_key(key_id))
        db.after_commit(lambda: security_log.note("key_revoked", key=key_id))
