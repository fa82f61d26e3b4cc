"""Signing out: the sockets of a login session close with it, in every tab and process; tokens end too."""

from __future__ import annotations

from notiway import security_log
from notiway.live.runtime import current
from notiway.store.credentials import tokens
from notiway.store.database import db
from notiway.store.session.joining import stands_aside
from notiway.values.close_codes import CloseCode
from notiway.values.event import Event
from notiway.verbs.events import publish


@stands_aside
def sign_out(user_id: str, session: str | None = None) -> None:
    """Close the sockets of one login session in every tab and process; without `session` those of all.

    Then all client tokens of the user end as well. Call it when you lock a user out.

    >>> sign_out("42")  # doctest: +SKIP
    """
    if session is not None:
        if current().config.live_url:
            tokens.end_session(session)
        # In a transaction of the caller's the session is over, for others, only with its commit.
        db.after_commit(lambda: _kick(f"user:{user_id}", session))
        return
    with db.atomic():
        tokens.end(user_id)
        db.after_commit(lambda: _kick(f"user:{user_id}", None))
        db.after_commit(lambda: security_log.note("signed_out_everywhere", user=user_id))


def session_of_key(key_id: str) -> str:
    """What the connections of the tokens of an API key are known by, as others are by their login session."""
    return f"key:{key_id}"


def sign_out_key(key_id: str) -> None:
    """Close every connection, of whichever user, that was opened with a token of this API key."""
    _kick("global", session_of_key(key_id))


def _kick(audience: str, session: str | None) -> None:
    publish(current(), Event("kick", audience, {"session": session, "code": int(CloseCode.SIGNED_OUT)}))
