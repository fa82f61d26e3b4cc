"""Replaying: what a client missed, page by page; each goes out when the client has taken the one before.

So neither the database nor the memory of this process is asked for more than a page, whatever a client missed, and
one that stops reading stops its own replay. All the while live Events are held back, without those that a page told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

from notiway.live.connection import Connection
from notiway.live.delivery.format import Format
from notiway.live.hub import Hub
from notiway.live.state import State
from notiway.pausing import in_stretches
from notiway.store.database import db
from notiway.store.log import resuming
from notiway.store.log.resuming import Cursor
from notiway.values.close_codes import CloseCode
from notiway.values.event import Event
from notiway.values.item import Item

log = logging.getLogger(__name__)

WORKERS = 2  # threads, or greenlets under gevent: apart from clients' messages and counts
PAGE_ITEMS = 100  # read, drawn and sent in one piece

Context = Callable[[], AbstractContextManager[Any]]  # of the application whose database is asked
Wanted = Callable[[Item], bool]


class Replaying:
    """Brings connections of a hub up to date."""

    def __init__(self, hub: Hub, context: Context = nullcontext) -> None:
        self._hub = hub
        self._context = context
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="notiway-replay")

    def resume(
        self,
        connection: Connection,
        cursor: Cursor,
        first: Sequence[str | None] = (),
        known_ids: Sequence[str] = (),
        wanted: Wanted | None = None,
        unread: int | None = None,
    ) -> None:
        """Send `first`, with the count `unread`, and all that came after the cursor, then let the connection go live.

        `known_ids` are items that the client has: should their Events come late, they are passed over. `wanted` says
        which of the user's items this client hears of.
        """
        user_id = cast("str", connection.user_id)  # the hub closes whoever is not signed in
        page = resuming.page(user_id, cursor, PAGE_ITEMS)
        frames = [*first, *frames_of(connection, [item for item in page.items if wanted is None or wanted(item)])]
        known = [*known_ids, *(item.id for item in page.items)]
        if page.more:
            self._hub.pass_on(connection, frames, known, lambda: self._go_on(connection, page.cursor, wanted))
        else:
            self._hub.release(connection, frames, known, unread)

    def close(self) -> None:
        """Finish the pages at hand; read no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _go_on(self, connection: Connection, cursor: Cursor, wanted: Wanted | None) -> None:
        def work() -> None:
            if connection.state is not State.OPEN:
                return
            try:
                with self._context(), db.connection_context():
                    self.resume(connection, cursor, wanted=wanted)
            except Exception:
                log.exception("a replay broke off; the client is told to connect again, and resumes")
                self._hub.reactor.call_soon(connection.close, CloseCode.TRY_AGAIN, "try again")

        try:
            self._pool.submit(work)
        except RuntimeError:
            log.debug("the process ends; clients resume elsewhere")


def frames_of(connection: Connection, items: Sequence[Item]) -> list[str | None]:
    """The items as this connection's wire shows them; None for one that it cannot show, which is logged."""
    return texts_of(connection.format, items)


def texts_of(format: Format, items: Sequence[Item]) -> list[str | None]:
    """The same for anyone who reads this format."""
    return [
        format.text(Event("created", item.audience, {"notification": item.as_dict()})) for item in in_stretches(items)
    ]
