"""Signing out: the sockets of a login session close with it, in every tab and process."""

from __future__ import annotations

from notiway.live.runtime import current
from notiway.values.close_codes import CloseCode
from notiway.values.event import Event
from notiway.verbs.events import publish


def sign_out(user_id: str, session: str | None = None) -> None:
    """Close the sockets of one login session in every tab, or of all the user's sessions, in every process."""
    data = {"session": session, "code": int(CloseCode.SIGNED_OUT)}
    publish(current(), Event("kick", f"user:{user_id}", data))
