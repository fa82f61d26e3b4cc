"""Which audiences a user listens to, and which users there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from sys import intern

from notiway.store.database import db
from notiway.store.sql import marks, run
from notiway.store.tables import InboxCursor, Membership
from notiway.values.audience import Audience, AudienceType

UnknownUsers = Callable[[Iterable[str]], set[str]]
BATCH = 500


def listens_to(user_id: str) -> list[str]:
    """The audience keys a user hears without asking: everybody, the user, its tenants and groups."""
    rows = run("SELECT audience FROM notiway_membership WHERE user_id = ?", (user_id,)).fetchall()
    # Interned: ten thousand connections keep these texts, and mostly the same ones.
    return ["global", intern(f"user:{user_id}"), *(intern(row[0]) for row in rows)]


def join(user_id: str, audience: Audience) -> None:
    """Make a user a member of a tenant or group; what was sent to it and still stands will be in the inbox.

    >>> members.join("42", Audience.group("admins", tenant="acme"))  # doctest: +SKIP
    """
    if not audience.is_broadcast or audience.key == "global":
        raise ValueError("only tenants and groups have members")
    with db.atomic():
        Membership.insert(user_id=user_id, audience=audience.key).on_conflict_ignore().execute()
        # The cursor stands past older broadcasts to this audience: pull again from the beginning.
        InboxCursor.delete().where(InboxCursor.user_id == user_id).execute()


def leave(user_id: str, audience: Audience) -> None:
    """End a membership; what is in the inbox already stays."""
    Membership.delete().where((Membership.user_id == user_id) & (Membership.audience == audience.key)).execute()


def members_of(audience: str) -> list[str]:
    """The ids of a tenant's or group's members."""
    rows = run("SELECT user_id FROM notiway_membership WHERE audience = ? ORDER BY user_id", (audience,)).fetchall()
    return [row[0] for row in rows]


def members_among(audience: str, user_ids: Sequence[str]) -> set[str]:
    """Which of these users are members."""
    found: set[str] = set()
    for start in range(0, len(user_ids), BATCH):
        part = user_ids[start : start + BATCH]
        text = f"SELECT user_id FROM notiway_membership WHERE audience = ? AND user_id IN ({marks(part)})"
        found |= {row[0] for row in run(text, (audience, *part)).fetchall()}
    return found


def count_members(audience: str) -> int:
    """How many members a tenant or group has, without those who are locked out."""
    count: int = run(
        "SELECT COUNT(*) FROM notiway_membership m LEFT JOIN notiway_user u ON u.id = m.user_id"
        " WHERE m.audience = ? AND (u.id IS NULL OR u.is_active)",
        (audience,),
    ).fetchone()[0]
    return count


def may_subscribe(user_id: str, audience: Audience, open_groups: Iterable[str] = ()) -> bool:
    """Whether a user may listen to a tenant or group: as its member, or because the group is open to all.

    `open_groups` holds patterns such as `dashboard-*`, for groups that belong to no tenant.
    """
    in_no_tenant = audience.type is AudienceType.GROUP and audience.tenant_id is None
    if in_no_tenant and any(fnmatchcase(audience.value, pattern) for pattern in open_groups):
        return True
    return audience.is_broadcast and audience.key in listens_to(user_id)


def unknown_in_user_table(user_ids: Iterable[str]) -> set[str]:
    """Which of these ids no active or inactive row of `notiway_user` has."""
    missing = set(user_ids)
    wanted = sorted(missing)
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        rows = run(f"SELECT id FROM notiway_user WHERE id IN ({marks(part)})", part)
        missing -= {row[0] for row in rows.fetchall()}
    return missing
