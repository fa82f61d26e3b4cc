"""Newcomers: connections whose user has just joined an audience are told what was sent to it since.

The Event `joined` may be under way for longer than what was sent after the joining, which then meets nobody who
listens. So each process reads that from the log when its connections begin to listen. It may also come behind the
`left` of the same user: then the database says that there is nothing to listen to any more.
"""

from __future__ import annotations

import logging
from typing import cast

from notiway.live.carriers.hub_protocol import SignalRTransport, is_ready
from notiway.live.carriers.leavers import Leavers
from notiway.live.carriers.replaying import frames_of
from notiway.live.connection import Connection
from notiway.live.hub import Hub
from notiway.store import inbox, membership
from notiway.store.database import db
from notiway.store.log import resuming
from notiway.store.log.resuming import Cursor
from notiway.values.close_codes import CloseCode
from notiway.values.event import Event
from notiway.values.ids import id_time
from notiway.values.item import Item

log = logging.getLogger(__name__)

MISSED_AT_MOST = 1_000  # items that are read at once: who missed more connects again and gets them page by page


def open_again(connection: Connection) -> None:
    """A newcomer was being opened, and nobody can tell what that has read: it connects again; on the reactor.

    A SignalR client that has not said hello stays: what it missed is read after that.
    """
    if not isinstance(connection.format.transport, SignalRTransport) or is_ready(connection):
        connection.close(CloseCode.TRY_AGAIN, "try again")


def follow(hub: Hub, leavers: Leavers, connection: Connection, joined: Event, was_opening: bool) -> None:
    """Let a connection stop listening if its user is no member any more; else it is brought up to date.

    One that was being opened is not held. If something fails the client is told to connect again: that reads it too.
    """
    user_id, key = cast("str", connection.user_id), joined.data["audience"]  # it listens to a user's audience
    missed: list[Item] = []
    unread = None
    is_unsure = False
    try:
        with hub.hearing.pinned([key]), db.connection_context():
            is_member = key in connection.grants or bool(membership.members_among(key, [user_id]))
            if is_member and not was_opening:
                page = resuming.page(user_id, Cursor.from_text(joined.data["since"]), MISSED_AT_MOST)
                missed = [item for item in page.items if item.audience == key and item.id not in connection.known]
                unread = inbox.unread_count(user_id) if missed else None
                # What came until the last `left` was perhaps heard: that Event, or this one, was under way for long.
                left_at = hub.listeners.left_at(connection, key)
                is_unsure = page.more or any(id_time(item.id) <= left_at for item in missed)
        frames = frames_of(connection, missed)
    except Exception:
        log.exception("a client whose user has joined %s is told to connect again", key)
        hub.reactor.call_soon(connection.close, CloseCode.TRY_AGAIN, "try again")
        return
    if not is_member:
        hub.in_turn(leavers.dismiss, connection, joined)
    if is_unsure:
        hub.reactor.call_soon(connection.close, CloseCode.TRY_AGAIN, "try again")
    elif not was_opening:
        hub.release(connection, frames, [item.id for item in missed])
    if unread is not None:
        hub.tell_count([connection], unread)
