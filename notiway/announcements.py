"""Announcements: notifications named `system-announcement`, which pages show as banners until dismissed or over."""

from __future__ import annotations

from notiway.item import Item
from notiway.models import now_ms
from notiway.rows import VISIBLE, read_items

NAME = "system-announcement"
SHOWN = 3  # at once, the newest
# The name is written out and the order of the tables is fixed: so the index on announcements is taken, and a full
# inbox costs nothing.
STANDING = (
    "FROM notiway_notification n CROSS JOIN notiway_inbox_item i"
    f" WHERE i.user_id = ? AND i.notification_id = n.id AND n.name = '{NAME}'"
    f" AND i.read_at IS NULL AND i.deleted_at IS NULL AND {VISIBLE}"
    " ORDER BY n.id DESC LIMIT ?"
)


def standing(user_id: str) -> list[Item]:
    """What the user has not dismissed and has not expired, newest first. Dismissing is reading."""
    return read_items(STANDING, (user_id, now_ms(), SHOWN))
