"""Reach: how many people a message would get to, and how many of them are connected now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from notiway.live.runtime import Runtime
from notiway.store.membership import count_members, members_among
from notiway.values.audience import Audience
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
