"""Membership as a verb: the table changes, and open pages and clients hear, or stop hearing, at once."""

from __future__ import annotations

import logging

from peewee import PeeweeException

from notiway import security_log
from notiway.live.runtime import Runtime, current
from notiway.store import inbox, membership
from notiway.store.database import db
from notiway.store.log import positions, standing
from notiway.store.log.positions import Seen
from notiway.store.log.resuming import Cursor
from notiway.store.session.joining import joins
from notiway.values.audience import Audience
from notiway.values.event import Event
from notiway.verbs.events import publish
from notiway.verbs.items import tell_restored

log = logging.getLogger(__name__)


@joins
def join(user_id: str, audience: Audience) -> None:
    """Make a user a member of a tenant or group; what stands for it is in the inbox, what comes is heard.

    Open pages and clients are told both, of what stands the newest 1,000.

    >>> membership.join("42", Audience.group("admins", tenant="acme"))  # doctest: +SKIP

    `ValueError` for an audience that has no members.
    """
    runtime = current()
    with db.atomic():
        membership.join(user_id, audience)
        inbox.catch_up(user_id)
        seen = positions.now_and_own()
        since = Cursor(seen).as_text()
        changed = {"unread": inbox.unread_count(user_id), "audience": audience.key, "since": since}
        db.after_commit(lambda: publish(runtime, Event("joined", f"user:{user_id}", changed)))
        db.after_commit(lambda: _tell_what_stood(runtime, user_id, audience, seen))
        db.after_commit(lambda: security_log.note("member_joined", user=user_id, audience=audience.key))


@joins
def leave(user_id: str, audience: Audience) -> None:
    """End a membership: no open connection of the user hears the audience any more; the inbox keeps what it has."""
    runtime = current()
    with db.atomic():
        membership.leave(user_id, audience)
        changed = {"unread": inbox.arrive(user_id), "audience": audience.key}
        db.after_commit(lambda: publish(runtime, Event("left", f"user:{user_id}", changed)))
        db.after_commit(lambda: security_log.note("member_left", user=user_id, audience=audience.key))


def _tell_what_stood(runtime: Runtime, user_id: str, audience: Audience, seen: Seen) -> None:
    """What came later each process tells by itself, once its devices listen."""
    try:
        items = standing.items(user_id, [audience.key], until=seen)
        mine = [item for item in items if item.audience == audience.key]
        unread = inbox.arrive(user_id)
    except PeeweeException:
        log.exception("what stands for %s was not told to a new member; devices show it once reloaded", audience.key)
        return
    tell_restored(runtime, user_id, mine, unread)
