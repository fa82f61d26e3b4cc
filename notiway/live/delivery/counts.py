"""Counts: a connection is told how many items are unread, and what it was told last is remembered."""

from __future__ import annotations

from collections.abc import Iterable

from notiway.live.connection import Connection

KEY = "unread"  # under which a count takes the place of one that still waits


def offer(connections: Iterable[Connection], unread: int) -> None:
    """Tell connections a count; on the reactor. What is held goes out behind counts that are not known here."""
    for connection in connections:
        data = connection.format.badge(unread)
        if data is not None:
            connection.offer(data, KEY)
        connection.told = unread if data is not None and connection.held is None else None
