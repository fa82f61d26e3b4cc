"""Told: what a connection knows of how many items are unread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notiway.values.count import as_of

if TYPE_CHECKING:
    from notiway.live.connection import Connection

NOTHING = -(2**63)  # below every position in the log


def note(connection: Connection, unread: int) -> None:
    """A connection is told this count. It is not known where nobody says up to which position it was counted.

    Nor if a broadcast that was heard already is missing in it: then its owner looks again.
    """
    counted_to = as_of(unread)
    connection.told = None if counted_to is None or counted_to < connection.told_to else int(unread)
    if counted_to is None:
        return
    if counted_to < connection.told_to and connection.owner is not None:
        connection.owner.look_again(connection)
    connection.told_to = max(connection.told_to, counted_to)
