"""Announcements: notifications named `system-announcement`, which pages show as banners until dismissed or over."""

from __future__ import annotations

from notiway.store.rows import VISIBLE, read_items
from notiway.values.clock import now_ms
from notiway.values.item import Item

NAME = "system-announcement"
SHOWN = 3  # at once, the gravest of these first, then the newest; banner/banners.js keeps to the same
LOOKED_AT = 100  # the newest of those that stand
GRAVEST_FIRST = ("critical", "warning", "info")
SEVERITY_OF_TYPE = {"error": "critical", "warning": "warning"}
# The name is written out and the order of the tables is fixed: so the index on announcements is taken, and a full
# inbox costs nothing.
STANDING = (
    "FROM notiway_notification n CROSS JOIN notiway_inbox_item i"
    f" WHERE i.user_id = ? AND i.notification_id = n.id AND n.name = '{NAME}'"
    f" AND i.read_at IS NULL AND i.deleted_at IS NULL AND {VISIBLE}"
    " ORDER BY n.id DESC LIMIT ?"
)


def standing(user_id: str) -> list[Item]:
    """What is not dismissed and not over, the gravest first, then the newest. Dismissing is reading."""
    found = read_items(STANDING, (user_id, now_ms(), LOOKED_AT))
    return sorted(found, key=lambda item: GRAVEST_FIRST.index(severity(item)))[:SHOWN]


def severity(item: Item) -> str:
    """What the body says, else the type."""
    said = (item.body or {}).get("severity")
    return said if said in GRAVEST_FIRST else SEVERITY_OF_TYPE.get(item.type, "info")
