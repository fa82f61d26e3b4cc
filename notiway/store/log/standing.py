"""What stands for a user: items to replay, announcements to show, and items found by the producer's id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from notiway.store.log import pulling
from notiway.store.log.positions import Seen
from notiway.store.log.pulling import catch_up
from notiway.store.rows import FROM_INBOX, FROM_UNREAD, SEVERAL, VISIBLE, read_items
from notiway.store.sql import BY_INBOX, marks, run
from notiway.values.clock import now_ms
from notiway.values.item import ANNOUNCEMENT, Item

REPLAY_LIMIT = 1_000  # items replayed at once, the newest
COUNTED = 5_000  # of those that stand beside them
SHOWN_ANNOUNCEMENTS = 3  # at once, the gravest of these first, then the newest; banner/banners.js keeps to the same
LOOKED_AT = 100  # the newest of those that stand
GRAVEST_FIRST = ("critical", "warning", "info")
SEVERITY_OF_TYPE = {"error": "critical", "warning": "warning"}
# The name is written out and the order of the tables is fixed: so the index on announcements is taken, and a full
# inbox costs nothing.
ANNOUNCEMENTS = (
    "FROM notiway_notification n CROSS JOIN notiway_inbox_item i"
    f" WHERE i.user_id = ? AND i.notification_id = n.id AND n.name = '{ANNOUNCEMENT}'"
    f" AND i.read_at IS NULL AND i.deleted_at IS NULL AND {VISIBLE}"
    " ORDER BY n.id DESC LIMIT ?"
)
NEWEST_UNREAD = (
    f"{FROM_UNREAD} AND i.read_at IS NULL AND i.deleted_at IS NULL"
    f" AND {VISIBLE} ORDER BY i.notification_id DESC LIMIT ?"
)


def items(
    user_id: str,
    audiences: Collection[str],
    limit: int = REPLAY_LIMIT,
    *,
    after: str = "",
    until: Seen | None = None,
) -> list[Item]:
    """What is stored for the user in these audiences, unexpired, undeleted and not recalled, oldest first.

    After an id, and of what could be seen by `until`, where they are given.
    """
    catch_up(user_id)
    keys = [*audiences, SEVERAL]
    within, numbers = ("1 = 1", ()) if until is None else until.within("i.position")
    newest_first = read_items(
        f"{FROM_INBOX} AND i.deleted_at IS NULL AND {VISIBLE} AND {BY_INBOX} IN ({marks(keys)})"
        f" AND i.notification_id > ? AND {within}"
        " ORDER BY i.notification_id DESC LIMIT ?",
        (user_id, now_ms(), *keys, after, *numbers, limit),
    )
    return newest_first[::-1]


def beyond(user_id: str, audiences: Collection[str], before: str) -> dict[str, int]:
    """How many items stand for these audiences before the id `before`, by audience; `COUNTED` in all at most.

    A notification to several users counts as sent to this one.
    """
    mine = f"user:{user_id}"
    keys = [*audiences, SEVERAL]
    rows = run(
        f"SELECT CASE n.audience WHEN '{SEVERAL}' THEN ? ELSE n.audience END {FROM_INBOX} AND i.deleted_at IS NULL"
        f" AND {VISIBLE} AND {BY_INBOX} IN ({marks(keys)}) AND i.notification_id < ?"
        " ORDER BY i.notification_id DESC LIMIT ?",
        (mine, user_id, now_ms(), *keys, before, COUNTED),
    ).fetchall()
    return {key: count for key, count in Counter(row[0] for row in rows).items() if key in audiences}


def named(user_id: str, public_id: str) -> str | None:
    """The id of the user's oldest notification that clients know by this producer's id."""
    row = run(
        "SELECT MIN(n.id) FROM notiway_notification n JOIN notiway_inbox_item i ON i.notification_id = n.id"
        " WHERE n.dedupe_key = ? AND i.user_id = ?",
        (public_id, user_id),
    ).fetchone()
    return None if row is None else row[0]


def announcements(user_id: str, names: Sequence[str] = ()) -> list[Item]:
    """What is not dismissed and not over, the gravest first, then the newest. Dismissing is reading.

    `names` are those of other kinds that are shown as banners: they are looked for among the newest unread.
    """
    found = read_items(ANNOUNCEMENTS, (user_id, now_ms(), LOOKED_AT))
    if names:
        found += [item for item in read_items(NEWEST_UNREAD, (user_id, now_ms(), LOOKED_AT)) if item.name in names]
        found.sort(key=lambda item: item.id, reverse=True)
    return sorted(found, key=lambda item: GRAVEST_FIRST.index(severity(item)))[:SHOWN_ANNOUNCEMENTS]


def severity(item: Item) -> str:
    """What the body says, else the type."""
    said = (item.body or {}).get("severity")
    return said if said in GRAVEST_FIRST else SEVERITY_OF_TYPE.get(item.type, "info")


def pull(user_id: str, audience: str) -> None:
    """Put what stands for one audience into the user's inbox: who subscribes without being a member reads it there."""
    pulling.pull_audience(user_id, audience)


def find(user_id: str, audience: str, public_id: str) -> list[str]:
    """The ids of the user's items that clients know by this audience and the producer's id, or ours."""
    if "\0" in audience + public_id:  # nothing is stored under such a name, and PostgreSQL takes none in a query
        return []
    keys = [audience, SEVERAL] if audience == f"user:{user_id}" else [audience]
    rows = run(
        "SELECT n.id FROM notiway_notification n JOIN notiway_inbox_item i ON i.notification_id = n.id"
        f" WHERE i.user_id = ? AND n.audience IN ({marks(keys)}) AND (n.dedupe_key = ? OR n.id = ?)",
        (user_id, *keys, public_id, public_id),
    ).fetchall()
    return [row[0] for row in rows]
