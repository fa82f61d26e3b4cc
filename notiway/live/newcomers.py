"""Newcomers: connections whose user has just joined an audience are told what was sent to it since.

The Event `joined` may be under way for longer than what was sent after the joining, which then meets nobody who
listens. So each process reads that from the log when its connections begin to listen.
"""

from __future__ import annotations

import logging
from typing import cast

from notiway.live.carriers.replaying import frames_of
from notiway.live.connection import Connection
from notiway.live.hub import Hub
from notiway.store import inbox
from notiway.store.database import db
from notiway.store.log import resuming
from notiway.store.log.resuming import Cursor
from notiway.values.close_codes import CloseCode
from notiway.values.event import Event

log = logging.getLogger(__name__)

MISSED_AT_MOST = 1_000  # items that are read at once: who missed more connects again and gets them page by page


def bring_up_to_date(hub: Hub, connection: Connection, joined: Event) -> None:
    """Tell a connection, which is held, what came to the audience since the joining, and let it go live again.

    If that fails the client is told to connect again: a resume reads it too.
    """
    user_id = cast("str", connection.user_id)  # it listens to a user's audience
    try:
        with db.connection_context():
            page = resuming.page(user_id, Cursor.from_text(joined.data["since"]), MISSED_AT_MOST)
            key = joined.data["audience"]
            missed = [item for item in page.items if item.audience == key and item.id not in connection.known]
            frames = frames_of(connection, missed)
            unread = inbox.unread_count(user_id) if missed else None
    except Exception:
        log.exception("a client whose user has joined %s is told to connect again", joined.data["audience"])
        hub.reactor.call_soon(connection.close, CloseCode.TRY_AGAIN, "try again")
        return
    if page.more:
        hub.reactor.call_soon(connection.close, CloseCode.TRY_AGAIN, "try again")
        return
    hub.release(connection, frames, [item.id for item in missed])
    if unread is not None:
        hub.tell_count([connection], unread)
