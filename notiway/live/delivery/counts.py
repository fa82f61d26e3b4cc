"""Counts: a connection is told how many items are unread, and what it was told last is remembered."""

from __future__ import annotations

from collections.abc import Iterable

from notiway.live.connection import Connection
from notiway.live.delivery import told
from notiway.live.heartbeat import ping

KEY = "unread"  # under which a count takes the place of one that still waits


def offer(connections: Iterable[Connection], unread: int, pings: bool = False) -> None:
    """Tell connections a count, with `pings` behind a ping, in one write; on the reactor.

    What is held goes out behind counts that are not known here.
    """
    alike: dict[int, list[Connection]] = {}
    for connection in connections:
        alike.setdefault(id(connection.format), []).append(connection)
    for group in alike.values():
        data = group[0].format.badge(unread)
        if pings:
            ping(group, data, KEY)
        for connection in group:
            if data is not None and not pings:
                connection.offer(data, KEY)
            told.note(connection, unread)
            if data is None or connection.held is not None:
                connection.told = None
