"""Trial: a notification that users send to themselves, to see whether and how fast one arrives."""

from __future__ import annotations

from notiway.live.runtime import current
from notiway.verbs.send import send_notification

RATE = "10 per minute"
NAME = "notiway-test"
TITLE = "This is a test"
MESSAGE = "Notifications reach this page."


def send(user_id: str) -> str:
    """Send a test to every open page and client of a user; it is stored nowhere. Returns its id.

    >>> trial.send("42")  # doctest: +SKIP
    '01a1fb5d-fb8a-73bd-9a80-6c53df77be0b'

    `Throttled` beyond ten in a minute.
    """
    current().throttle.take("test", RATE, user_id)
    return str(send_notification(user_id, TITLE, MESSAGE, name=NAME, type="success", persist=False).id)
