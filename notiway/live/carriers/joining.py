"""Live: how a client joins the hub, whatever it speaks, and how it subscribes to more."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Sequence
from typing import Any, cast

from notiway.live.broker.channels import node_of
from notiway.live.carriers.replaying import frames_of
from notiway.live.connection import Connection
from notiway.live.deadlines import Ending
from notiway.live.runtime import Runtime
from notiway.live.state import State
from notiway.store import inbox, membership
from notiway.store.log import standing
from notiway.store.log.resuming import OVERLAP_MS
from notiway.values.audience import Audience, AudienceType
from notiway.values.clock import now_ms
from notiway.values.close_codes import CloseCode
from notiway.values.errors import Forbidden, NotSupported
from notiway.values.ids import id_floor
from notiway.values.item import Item
from notiway.values.principal import Principal

REPLAY_PAUSE_MS = 5_000  # within which an audience is not replayed whole to one connection again


def join(
    now: Runtime,
    sock: Any,
    format_name: str,
    principal: Principal | None,
    connection_id: str | None = None,
    hello: tuple[float, Ending] | None = None,
    head: bytes = b"",
    since: str | None = None,
) -> Connection:
    """Register a client. What happens from now on is held back until `hub.release`; nobody is closed with 4001.

    `hello` is until when the client must say hello, in seconds since the epoch, and what happens if it does not;
    from then on it ends with its token or session. `head` are bytes that go out before all else.
    `since` is what the client says that it has, for whoever releases it.
    """
    user_id = None if principal is None else principal.user_id
    key = connection_id or f"{now.broker.node}.{secrets.token_urlsafe(12)}"
    connection = Connection(sock, now.formats[format_name], key, now.config.queue_limit, user_id)
    connection.since = since
    if head:
        connection.write(head)  # without waiting: the hub writes what the socket does not take
    if principal is None:
        now.hub.open(connection, ())
        return connection
    connection.session = principal.session
    connection.grants = principal.grants
    audiences = audiences_of(principal)
    # Before it is open: from then on the client is read, and what it says may set another end.
    connection.ends_at = principal.ends_at
    if hello is not None:
        now.hub.end_at(connection, *hello)
    elif principal.ends_at is not None:
        now.hub.end_at(connection, principal.ends_at)
    if now.config.broker_is_shared and node_of(own := f"connection:{key}") != now.broker.node:
        audiences.append(own)  # the id was given by another process, so the channel of this one does not tell it
    # Confirmed before anything else is read. What came before it may have been a sign-out, or a group that was joined.
    if now.hub.hearing.pin(audiences):
        now.hub.heard = object()
    now.hub.open(connection, audiences)
    now.hub.in_turn(now.hub.hearing.unpin, audiences)
    return connection


def audiences_of(principal: Principal) -> list[str]:
    """What somebody hears without asking. What stands for the tenant of a token is then in the inbox."""
    audiences = membership.listens_to(principal.user_id)
    if principal.tenant_id is not None and (key := f"tenant:{principal.tenant_id}") not in audiences:
        audiences.append(key)
        standing.pull(principal.user_id, key)
    return audiences


def bring_up_to_date(now: Runtime, connection: Connection, work: Callable[[], None]) -> None:
    """Do what releases the connection; if that fails the client is told to try again.

    Nothing is read for one that has been turned away or has gone.
    """
    if connection.state is not State.OPEN:
        return
    try:
        work()
    except Exception:
        now.reactor.call_soon(connection.close, CloseCode.TRY_AGAIN, "try again")
        raise


def subscribe(now: Runtime, connection: Connection, audience: Audience, answer: str | None = None) -> None:
    """Let a client listen to a tenant or group, and replay what stands for it; `answer` goes out first.

    `NotSupported` for other audiences, `Forbidden` without membership, grant or an open group.
    """
    check_subscribable(audience)
    user_id = cast("str", connection.user_id)  # the hub closes whoever is not signed in
    key = audience.key
    granted = key in connection.grants
    if not granted and not membership.may_subscribe(user_id, audience, now.config.open_groups):
        raise Forbidden(f"You may not listen to {key}")
    now.hub.hold(connection)
    is_new = False
    frames: list[str | None] = []
    items: list[Item] = []
    unread = None
    try:
        # Asked of the reactor, in turn: an unsubscribe that it has not come to yet is taken into account.
        is_new = now.hub.subscribe(connection, key)
        if is_new:
            standing.pull(user_id, key)
            after = _replayed_before(connection, key)
            found = standing.items(user_id, [key], standing.REPLAY_LIMIT, after=after)
            items = [item for item in found if item.audience == key]
            frames = [*incomplete(connection, [key], found), *frames_of(connection, items)]
            unread = inbox.arrive(user_id) if items else None
    except Exception:
        _take_back(now, connection, key, is_new)
        raise
    now.hub.release(connection, [answer, *frames], [item.id for item in items])
    if unread is not None:
        now.hub.tell_count([connection], unread)


def _take_back(now: Runtime, connection: Connection, key: str, is_new: bool) -> None:
    """A subscription has failed: whoever asked is told so, and the next try is a first one again."""
    if is_new:
        now.hub.unsubscribe(connection, key)
        connection.replays = {each: at for each, at in (connection.replays or {}).items() if each != key}
    now.hub.release(connection, ())


def incomplete(connection: Connection, audiences: Collection[str], replayed: Sequence[Item]) -> list[str | None]:
    """What the client is told if `replayed` is as much as one replay carries, and more stands for these audiences."""
    if len(replayed) < standing.REPLAY_LIMIT:
        return []
    user_id = cast("str", connection.user_id)
    missing = standing.beyond(user_id, audiences, replayed[0].id)
    return [connection.format.wire.incomplete(audience, count) for audience, count in sorted(missing.items())]


def _replayed_before(connection: Connection, key: str) -> str:
    """The id to replay from: a client that comes and goes all the time is not told everything each time."""
    now = now_ms()
    lately = {each: at for each, at in (connection.replays or {}).items() if at > now - REPLAY_PAUSE_MS}
    last = lately.get(key)
    connection.replays = lately | {key: now}
    return "" if last is None else id_floor(last - OVERLAP_MS)


def unsubscribe(now: Runtime, connection: Connection, audience: Audience, answer: str | None = None) -> None:
    """End a subscription."""
    check_subscribable(audience)
    now.hub.unsubscribe(connection, audience.key)
    now.hub.tell(connection, answer)


def check_subscribable(audience: Audience) -> None:
    """`NotSupported` for audiences that come by themselves."""
    if audience.type not in (AudienceType.TENANT, AudienceType.GROUP):
        raise NotSupported("Only tenants and groups can be subscribed to; the others need no subscription")
