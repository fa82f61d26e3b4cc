"""Membership as a verb: the table changes, and open pages and clients hear, or stop hearing, at once."""

from __future__ import annotations

from notiway.live.runtime import current
from notiway.store import inbox, membership
from notiway.store.database import db
from notiway.values import security_log
from notiway.values.audience import Audience
from notiway.values.event import Event
from notiway.verbs.events import publish


def join(user_id: str, audience: Audience) -> None:
    """Make a user a member of a tenant or group; what stands for it is in the inbox, what comes is heard.

    >>> membership.join("42", Audience.group("admins", tenant="acme"))  # doctest: +SKIP

    `ValueError` for an audience that has no members.
    """
    runtime = current()
    with db.atomic():
        membership.join(user_id, audience)
        inbox.catch_up(user_id)
        changed = {"unread": inbox.unread_count(user_id), "audience": audience.key}
        db.after_commit(lambda: publish(runtime, Event("joined", f"user:{user_id}", changed)))
        db.after_commit(lambda: security_log.note("member_joined", user=user_id, audience=audience.key))


def leave(user_id: str, audience: Audience) -> None:
    """End a membership: no open connection of the user hears the audience any more; the inbox keeps what it has."""
    runtime = current()
    with db.atomic():
        membership.leave(user_id, audience)
        changed = {"unread": inbox.unread_count(user_id), "audience": audience.key}
        db.after_commit(lambda: publish(runtime, Event("left", f"user:{user_id}", changed)))
        db.after_commit(lambda: security_log.note("member_left", user=user_id, audience=audience.key))
