"""Reach: how many people a message would get to, and who of them is connected now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from notiway.live.runtime import Runtime, current
from notiway.store.membership import count_members, members_among
from notiway.values.audience import Audience, AudienceType
from notiway.values.people import CountsMembers


@dataclass(frozen=True, slots=True)
class Reach:
    """`people` is None where the application does not tell how many users it has.

    `online` counts the users of all processes that share a broker.
    """

    people: int | None
    online: int


def of(now: Runtime, to: Audience | Sequence[str]) -> Reach:
    """The reach of an audience, or of these user ids.

    >>> reach.of(runtime.current(), Audience.group("admins"))  # doctest: +SKIP
    Reach(people=312, online=41)
    """
    if isinstance(to, Audience) and not to.is_broadcast:
        to = [to.value]
    if not isinstance(to, Audience):
        users = set(to)
        return Reach(len(users), len(now.presence.among(users)))
    if to.key == "global":
        people = None if now.people is None else now.people.count()
        return Reach(people, now.presence.online())
    listeners = now.presence.users_of(to.key)
    # A client may listen to an open group, or by its token, without being a member.
    guests = listeners - members_among(to.key, sorted(listeners))
    count = now.people.count_members if isinstance(now.people, CountsMembers) else count_members
    return Reach(count(to.key) + len(guests), len(listeners))


def online(user_id: str) -> bool:
    """Whether a user has an open connection: a page with the bell in any tab, or another live client.

    All processes that share a Redis broker are asked. After a crash a user may still count as connected for some
    seconds. While Redis is away only this process's own connections are known. A process that holds none, such as a
    worker, knows of nobody without Redis.

    >>> if not notiway.online("42"):
    ...     send_mail("42")  # doctest: +SKIP
    """
    return bool(current().presence.among([user_id]))


def online_among(user_ids: Collection[str]) -> set[str]:
    """Which of these users have an open connection; as `online`, for many in one question.

    >>> notiway.online_among(["42", "43"])  # doctest: +SKIP
    {'42'}
    """
    return current().presence.among(user_ids)


def online_in(to: Audience) -> set[str]:
    """The ids of the users who listen to a tenant or group now; `ValueError` for another sort of audience.

    Guests count, too: who listens to an open group, or by a token, without being a member.

    >>> notiway.online_in(Audience.group("admins"))  # doctest: +SKIP
    {'42'}
    """
    if to.type not in (AudienceType.TENANT, AudienceType.GROUP):
        raise ValueError(f"Ask for a tenant or a group, not for {to.key}")
    return current().presence.users_of(to.key)
