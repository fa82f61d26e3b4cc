"""Mutants: faults that Notiway had, or could have. The simulation must find each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from notiway.live import badges, drain
from notiway.live.carriers import joining
from notiway.live.carriers.leavers import Leavers
from notiway.live.connection import Connection
from notiway.live.delivery.broadcast import Broadcast
from notiway.live.delivery.format import Format, Frame, _key_of
from notiway.live.delivery.hearing import Hearing
from notiway.live.delivery.replayed import Replayed
from notiway.live.runtime import current
from notiway.live.session_news import SessionNews
from notiway.store import inbox
from notiway.store.engine.proxy import Proxy
from notiway.store.log import positions, resuming
from notiway.store.log.resuming import Cursor
from notiway.values.count import Count
from notiway.verbs import send
from notiway.web.sockets import invocations

Patch = tuple[Any, str, Any]  # object, attribute, what it is in the mutant


@contextmanager
def installed(name: str | None) -> Iterator[None]:
    """Inside, Notiway has this fault; None: none."""
    patches = MUTANTS[name] if name else ()
    before = [(where, key, vars(where)[key]) for where, key, _ in patches]
    for where, key, value in patches:
        setattr(where, key, value)
    try:
        yield
    finally:
        for where, key, value in before:
            setattr(where, key, value)


def _subscribe_by_a_stale_look(now: Any, connection: Connection, audience: Any, answer: str | None = None) -> None:
    """It looked at what the connection hears before the unsubscribe that waits for its turn was done."""
    if audience.key in connection.audiences:
        now.hub.tell(connection, answer)
    else:
        _subscribe(now, connection, audience, answer)


_subscribe = joining.subscribe


def _one_more(users: Iterable[str]) -> dict[str, int]:
    """The server says "one more" instead of how many there are."""
    told = vars(current()).setdefault("told_counts", {})
    for user in (listed := list(users)):
        told[user] = told.get(user, 0) + 1
    return {user: told[user] for user in listed}


def _single_without_a_net(self: Format, event: Any) -> Any:
    text = self.wire.render(event)
    if text is None:
        return None
    item_id = event.data["notification"]["id"] if event.kind == "created" else None
    data, key = self.transport.encode(text), _key_of(event)
    if not self.wire.counts:
        return Frame(data, key, item_id)
    return Frame(data, key, item_id, event.data.get("unread"), event.kind == "created" and event.leaves_counts_open)


def _kick_who_is_open(self: SessionNews, listeners: list[Connection], event: Any) -> None:
    _kick(self, [connection for connection in listeners if connection.held is None], event)


_kick = SessionNews.kick


def _rows_only(user_ids: Sequence[str]) -> dict[str, Count]:
    counts = inbox.unread_counts(user_ids)
    return {user_id: Count(inbox.unread_count(user_id), count.as_of) for user_id, count in counts.items()}


def _send_until_somebody_is_slow(self: Broadcast, connections: Iterable[Connection]) -> None:
    """It sends part by part: after the part with a slow client there is no other."""
    if vars(self).get("has_ended"):
        return
    listed = list(connections)
    slow = next((number for number, each in enumerate(listed) if each.backlog is not None), len(listed))
    _send(self, listed[: slow + 1])
    vars(self)["has_ended"] = slow < len(listed)


_send = Broadcast.send


def _ask_and_go_on(self: Hearing, audiences: Any) -> bool:
    if (broker := vars(self)["_broker"]) is not None:
        with vars(self)["_lock"]:
            for each in audiences:
                self._pins[each] = self._pins.get(each, 0) + 1
                self._idle.pop(each, None)
        broker.ask(audiences)
    return False


MUTANTS: dict[str, tuple[Patch, ...]] = {
    # A resume reads exactly after the newest id that was heard, though Events overtake each other.
    "resume-without-overlap": ((resuming, "OVERLAP_MS", 0),),
    # A SignalR client that names what it has is told nothing of what came since.
    "a-hub-resume-begins-now": ((invocations, "_cursor", lambda *_: Cursor(positions.now())),),
    # "Unsubscribe, subscribe" in a row leaves a client deaf.
    "subscribe-by-a-stale-look": ((joining, "subscribe", _subscribe_by_a_stale_look),),
    # Heartbeats count what is in the inbox, without the broadcasts behind it.
    "heartbeats-count-rows": ((badges, "inbox", SimpleNamespace(unread_counts=_rows_only)),),
    "publish-before-commit": ((Proxy, "after_commit", lambda self, call: call()),),
    "one-more-instead-of-how-many": ((send, "unread_counts", _one_more),),
    "a-wire-that-fails-ends-the-fan-out": ((Format, "_single", _single_without_a_net),),
    "a-kick-passes-over-who-is-joining": ((SessionNews, "kick", _kick_who_is_open),),
    "a-slow-client-ends-the-fan-out": ((Broadcast, "send", _send_until_somebody_is_slow),),
    # Nobody asks the database whether a `left` is out of date.
    "a-late-leaving-is-final": ((Leavers, "note", lambda *_: None),),
    # A client reads the database before the broker has confirmed that its audiences are heard.
    "nobody-waits-until-it-is-heard": ((Hearing, "pin", _ask_and_go_on),),
    # Events were lost between the broker and a process, and nobody is brought up to date.
    "a-gap-is-nothing": ((drain, "resync", lambda *_: None),),
    "replayed-items-are-forgotten": ((Replayed, "remember", lambda self, connection, ids: None),),
}
