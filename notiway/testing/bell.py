"""Bell: what the bell of a page would show, asked for with a Flask test client instead of a browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient

from notiway.live.runtime import KEY

MOST = 99  # a badge says 99+ beyond


@dataclass(frozen=True, slots=True)
class Bell:
    """The badge's number and the newest notifications, newest first, as `GET /notifications/recent` gives them."""

    unread: int
    items: tuple[dict[str, Any], ...]

    @property
    def badge(self) -> str:
        """The text on the badge; empty where there is none."""
        return f"{MOST}+" if self.unread > MOST else str(self.unread or "")

    @property
    def titles(self) -> list[str]:
        return [each["title"] for each in self.items]


def ring(client: FlaskClient) -> Bell:
    """The bell of the user who is signed in with this test client; `AssertionError` where nobody is.

    >>> ring(client).badge, ring(client).titles  # doctest: +SKIP
    ('1', ['Order placed'])
    """
    path = client.application.extensions[KEY].url("/notifications/recent")
    answer = client.get(path, headers={"Accept": "application/json"})
    if answer.status_code != 200:
        raise AssertionError(f"no bell: {path} answered {answer.status_code}. Is anybody signed in with this client?")
    said: dict[str, Any] = answer.get_json()
    return Bell(said["unreadCount"], tuple(said["notifications"]))
