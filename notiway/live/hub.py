"""Hub: which local connections listen to which audience, and the fan-out to them.

Runs on the reactor; `deliver`, `open`, `release`, `tell` and `close_all` may be called from any thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from notiway import metrics
from notiway.live.connection import Connection
from notiway.live.deadlines import Deadlines, Ending, sign_out
from notiway.live.delivery import counts
from notiway.live.delivery.broadcast import Broadcast
from notiway.live.delivery.budget import Budget
from notiway.live.delivery.coalescing import Coalescing
from notiway.live.delivery.following import follow
from notiway.live.delivery.hearing import Hearing
from notiway.live.delivery.listeners import Listeners, Moved
from notiway.live.delivery.pump import Pump
from notiway.live.delivery.replayed import Replayed
from notiway.live.delivery.waiting import Waiting
from notiway.live.drain import close_gradually
from notiway.live.heartbeat import MISSED_BEATS, Heartbeat
from notiway.live.pressure import Pressure
from notiway.live.reactor import Reactor
from notiway.live.session_news import SessionNews
from notiway.live.state import State
from notiway.values.close_codes import CloseCode
from notiway.values.event import Event

QUEUE_TOTAL = 64 * 1024 * 1024  # bytes
OF_ONE = "connection:"  # audiences of a single connection begin so
ANSWER_SECONDS = 30.0  # more than a fan-out to every connection of a process takes


class Hub:
    """The registry of this process's live connections."""

    def __init__(
        self, reactor: Reactor, *, connections_per_user: int, heartbeat_seconds: float, queue_total: int = QUEUE_TOTAL
    ) -> None:
        self.reactor = reactor
        self.draining, self.heard = False, object()  # the latter anew with each Event
        self._per_user = connections_per_user
        self._by_id: dict[str, Connection] = {}
        self._coming: dict[Connection, None] = {}  # whose opening the reactor has not come to yet
        self.listeners = Listeners()
        self.hearing = Hearing(reactor, self.listeners)
        self.waiting = Waiting()
        self._pump = Pump(reactor, self._fan_out, self.waiting)
        self._deadlines = Deadlines(reactor)
        self._replayed = Replayed(reactor)
        self._news = SessionNews(self._deadlines)
        self._coalescing = Coalescing(reactor, self._pump.take)
        self.heartbeat = Heartbeat(heartbeat_seconds)
        self.pressure = Pressure(reactor, queue_total, MISSED_BEATS * heartbeat_seconds)
        self.moved: list[Moved] = []  # joined, and held until they know what came since; or left
        self.look_again: Callable[[Connection], None] = lambda _: None  # at a count that a broadcast has overtaken

    def __len__(self) -> int:
        return len(self._by_id)

    # From any thread

    def deliver(self, event: Event) -> None:
        """Take an Event from the broker; returns at once, the fan-out follows on the reactor."""
        self.heard = object()  # before it takes effect: whoever finds the same one as before has missed nothing
        metrics.EVENTS_RECEIVED.labels(kind=event.kind).inc()
        self.listeners.expect(event)
        self.waiting.hand_over()
        # As a call, in order with `open`: who was registered before this event hears it.
        self.reactor.call_soon(self.waiting.look, partial(self._coalescing.put, event))

    def open(self, connection: Connection, audiences: Iterable[str]) -> None:
        """Register a connection. From now on Events for it are held back until `release`."""
        connection.audiences = tuple(audiences)
        self._coming[connection] = None
        self.in_turn(self._add, connection)
        self.in_turn(self._coming.pop, connection, None)

    def release(
        self,
        connection: Connection,
        first: Sequence[str | None],
        known_ids: Iterable[str] = (),
        unread: int | None = None,
    ) -> None:
        """Send `first`, then what was held, then live; Events of `known_ids` that come late are passed over.

        `unread` is the count that `first` tells.
        """
        frames = _frames(connection, first)
        self.in_turn(self._replay, connection, known_ids, partial(connection.release, frames, unread))

    def pass_on(
        self, connection: Connection, texts: Sequence[str | None], known_ids: Iterable[str], then: Callable[[], None]
    ) -> None:
        """Send part of a replay and go on holding; `then` is called on the reactor when the client has taken it."""
        frames = _frames(connection, texts)
        self.in_turn(self._replay, connection, known_ids, partial(connection.pass_on, frames, then))

    def hold(self, connection: Connection) -> None:
        """Keep back what comes for a connection, until `release`."""
        self.reactor.call_soon(connection.hold)

    def end_at(self, connection: Connection, ends_at: float | None, end: Ending = sign_out) -> None:
        """Close a connection with 4009 at this time (seconds since the epoch), unless it is set anew before."""
        self.reactor.call_soon(self._deadlines.set, connection, ends_at, end)

    def greet(self, connection: Connection) -> None:
        """A connection has said hello in time: from now on it ends with its session."""
        self.reactor.call_soon(self._deadlines.greet, connection)

    def tell(self, connection: Connection, text: str | None) -> None:
        """Send to one connection."""
        data = connection.format.frame(text)
        if data is not None:
            self.reactor.call_soon(connection.offer, data)

    def tell_count(self, connections: Iterable[Connection], unread: int, *, pings: bool = False) -> None:
        """Tell connections how many are unread, with `pings` behind a ping; a count that waits for them is superseded.

        In turn: a broadcast on its way may be in this count, and would be counted once more behind it.
        """
        self.in_turn(counts.offer, connections, unread, pings)

    def subscribe(self, connection: Connection, audience: str) -> bool:
        """Let a connection, which may, listen to one more audience; whether it did not already. Waits for its turn."""
        with self.hearing.pinned([audience]):
            return bool(self._ask(self.listeners.add, connection, audience))

    def audiences_of(self, connection: Connection) -> tuple[str, ...]:
        """What a connection listens to, once all that was asked for before is done."""
        found: tuple[str, ...] = self._ask(getattr, connection, "audiences")
        return found

    def unsubscribe(self, connection: Connection, audience: str) -> None:
        """End a subscription."""
        self.in_turn(self.listeners.remove, connection, audience)

    def close_all(self, code: int, reason: str, seconds: float) -> None:
        """Close every connection, spread over this time, and refuse new ones."""
        self.draining = True
        self.reactor.call_soon(lambda: close_gradually(self.reactor, list(self._by_id.values()), code, reason, seconds))

    def user_ids(self) -> set[str]:
        """The users who are connected here."""
        return {each.user_id for each in list(self._by_id.values()) if each.user_id is not None}

    def is_heard(self, audience: str) -> bool:
        """Whether anybody here hears an audience, whoever is just opening included."""
        # In this order: the reactor moves connections from one to the other.
        if audience.startswith(OF_ONE):
            one = audience.removeprefix(OF_ONE)
            return any(each.id == one for each in list(self._coming)) or one in self._by_id
        return any(audience in each.audiences for each in list(self._coming)) or self.listeners.are_coming(audience)

    def in_turn(self, call: Callable[..., Any], *args: Any) -> None:
        """On the reactor, do this between the fan-outs of what was delivered before and of what is delivered later."""
        self.reactor.call_soon(self._pump.take_turn, partial(call, *args))

    def _ask(self, call: Callable[..., Any], *args: Any) -> Any:
        """Call in turn and wait for the answer: never on the reactor, which would wait for itself."""
        answer: Future[Any] = Future()

        def ask() -> None:
            try:
                answer.set_result(call(*args))
            except Exception as error:
                answer.set_exception(error)
                raise

        self.in_turn(ask)
        return answer.result(ANSWER_SECONDS)

    # Owner of connections (connection.Owner)

    def want_write(self, connection: Connection, wanted: bool) -> None:
        self.reactor.want_write(connection, wanted)
        (self.pressure.enter if wanted else self.pressure.leave)(connection)

    def forget(self, connection: Connection) -> None:
        """A connection has ended: it hears nothing any more."""
        self.reactor.forget(connection)
        self.pressure.leave(connection)
        if self._by_id.pop(connection.id, None) is None:
            return
        self.listeners.leave(connection)
        self._deadlines.forget(connection)
        self.heartbeat.remove(connection)
        metrics.CONNECTIONS.labels(wire=connection.format.wire.name).dec()

    # On the reactor

    def _add(self, connection: Connection) -> None:
        if connection.state is State.CLOSED:
            return
        connection.owner = self
        self._by_id[connection.id] = connection
        self.heartbeat.add(connection)
        metrics.CONNECTIONS.labels(wire=connection.format.wire.name).inc()
        self.reactor.watch(connection)
        if connection.backlog is not None:  # what came before it was registered
            self.want_write(connection, True)
            connection.flush()
        mine = self.listeners.of(f"user:{connection.user_id}")
        self.listeners.enter(connection)
        if self.draining:
            connection.close(CloseCode.RESTARTING, "restarting")
        elif connection.user_id is None:
            connection.close(CloseCode.NOT_SIGNED_IN, "not signed in")
        elif sum(each.state is State.OPEN for each in mine if each is not connection) >= self._per_user:
            connection.format.transport.turn_away(connection, CloseCode.TOO_MANY, "too many connections")
        else:
            self._news.tell(connection)

    def _replay(self, connection: Connection, known_ids: Iterable[str], send: Callable[[], None]) -> None:
        self._replayed.remember(connection, known_ids)
        send()

    def listeners_of(self, audience: str) -> list[Connection]:
        if audience.startswith(OF_ONE):
            one = self._by_id.get(audience.removeprefix(OF_ONE))
            return [] if one is None else [one]
        return self.listeners.of(audience)

    def _fan_out(self, audience: str, events: list[Event], budget: Budget) -> Iterator[None]:
        listeners, broadcast, done = self.listeners_of(audience), Broadcast(events), 0
        while done < len(listeners):
            if budget.is_spent:
                yield
            end = done + budget.take(len(listeners) - done)
            broadcast.send(listeners[done:end])
            done = end
        self._after_fan_out(listeners, events)

    def _after_fan_out(self, listeners: list[Connection], events: list[Event]) -> None:
        self.moved += follow(events, listeners, self.listeners, self._news)
        metrics.FRAMES.inc(len(listeners) * len(events))
        if since := events[0].published_at:
            metrics.DELIVERY_SECONDS.observe(max(time.time() - since, 0.0))


def _frames(connection: Connection, texts: Sequence[str | None]) -> list[bytes]:
    return [data for text in texts if (data := connection.format.frame(text)) is not None]
