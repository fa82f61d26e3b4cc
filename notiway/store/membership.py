"""Which audiences a user listens to, and which users there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from sys import intern

from notiway.store.database import db
from notiway.store.log import pulling
from notiway.store.sql import contains, in_batches, marks, run
from notiway.values.audience import Audience, AudienceType

JOIN = "INSERT INTO notiway_membership (user_id, audience) VALUES (?, ?) ON CONFLICT (user_id, audience) DO NOTHING"
# Jumps from one audience to the next in the index, whatever the number of members between them.
FIND_AUDIENCES = (
    "WITH RECURSIVE known (audience) AS (SELECT MIN(audience) FROM notiway_membership UNION ALL"
    " SELECT (SELECT MIN(m.audience) FROM notiway_membership m WHERE m.audience > known.audience)"
    " FROM known WHERE known.audience IS NOT NULL)"
    " SELECT audience, (SELECT COUNT(*) FROM notiway_membership m WHERE m.audience = known.audience) FROM known"
    " WHERE {contains} ORDER BY audience LIMIT ?"
)


def listens_to(user_id: str) -> list[str]:
    """The audience keys a user hears without asking: everybody, the user, its tenants and groups."""
    rows = run("SELECT audience FROM notiway_membership WHERE user_id = ?", (user_id,)).fetchall()
    # Interned: ten thousand connections keep these texts, and mostly the same ones.
    return ["global", intern(f"user:{user_id}"), *(intern(row[0]) for row in rows)]


def join(user_id: str, audience: Audience) -> None:
    """Make a user a member of a tenant or group; what was sent to it lately and still stands is in the inbox.

    As for a newcomer, that goes back NOTIWAY_BACKLOG_DAYS, and announcements have no age.

    >>> members.join("42", Audience.group("admins", tenant="acme"))  # doctest: +SKIP
    """
    if not audience.is_broadcast or audience.key == "global":
        raise ValueError("only tenants and groups have members")
    # Always: from here the cursor goes on, and what is older than that is for `pull_audience` to bound.
    pulling.pull([user_id])
    with db.atomic():
        # Until this is committed no pull, which could not see the membership, may step over its broadcasts.
        pulling.hold_cursors([user_id])
        run(JOIN, (user_id, audience.key))
        pulling.pull_audience(user_id, audience.key, pulling.backlog_begins())


def leave(user_id: str, audience: Audience) -> None:
    """End a membership; what was sent to it until now stays in the inbox."""
    pulling.catch_up(user_id)  # what was told and counted needs no row until here
    run("DELETE FROM notiway_membership WHERE user_id = ? AND audience = ?", (user_id, audience.key))


def members_of(audience: str) -> list[str]:
    """The ids of a tenant's or group's members."""
    rows = run("SELECT user_id FROM notiway_membership WHERE audience = ? ORDER BY user_id", (audience,)).fetchall()
    return [row[0] for row in rows]


def members_among(audience: str, user_ids: Sequence[str]) -> set[str]:
    """Which of these users are members."""
    found: set[str] = set()
    for part in in_batches(user_ids):
        text = f"SELECT user_id FROM notiway_membership WHERE audience = ? AND user_id IN ({marks(part)})"
        found |= {row[0] for row in run(text, (audience, *part)).fetchall()}
    return found


def count_members(audience: str) -> int:
    """How many members a tenant or group has."""
    count: int = run("SELECT COUNT(*) FROM notiway_membership WHERE audience = ?", (audience,)).fetchone()[0]
    return count


def find_audiences(text: str, limit: int) -> list[tuple[str, int]]:
    """The tenants and groups whose key holds `text`, in either case, with the number of their members."""
    condition, wanted = contains("audience", text)
    found = run(FIND_AUDIENCES.format(contains=condition), (f"%:{wanted}", limit))
    return [(row[0], row[1]) for row in found.fetchall()]


def may_subscribe(user_id: str, audience: Audience, open_groups: Iterable[str] = ()) -> bool:
    """Whether a user may listen to a tenant or group: as its member, or because the group is open to all.

    `open_groups` holds patterns such as `dashboard-*`, for groups that belong to no tenant.
    """
    in_no_tenant = audience.type is AudienceType.GROUP and audience.tenant_id is None
    if in_no_tenant and any(fnmatchcase(audience.value, pattern) for pattern in open_groups):
        return True
    return audience.is_broadcast and audience.key in listens_to(user_id)
