"""The broker of several processes: Redis Pub/Sub, a channel for each audience. The database is the log."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence

from notiway.live.broker import Deliver, DeliverAll, OnGap
from notiway.live.broker.breaker import Breaker
from notiway.live.broker.channels import OF_ONE, Channels, new_node
from notiway.live.broker.later import Later
from notiway.live.broker.reader import Reader
from notiway.live.broker.redis_client import open_client
from notiway.live.broker.subscriptions import Subscriptions
from notiway.pausing import in_stretches
from notiway.values.errors import BrokerDown
from notiway.values.event import Event

log = logging.getLogger(__name__)

CONFIRM_SECONDS = 2.0  # for a subscription
COMMANDS = 500  # in one round trip
GAP = b'{"gap":'  # how a message begins that is no Event: something was lost
EVERYBODY = "global"  # whoever is signed in hears it


class RedisBroker:
    """Publishes to Redis, and hears from it what the connections of this process want to hear."""

    def __init__(self, url: str) -> None:
        self.node = ""  # made at the start, which is after a fork
        self._client = open_client(url)
        self._channels = Channels(url)
        self._subscriptions = Subscriptions()
        self._breaker = Breaker()
        self._later = Later(self._publish, self._publish_gap)
        self._reader: Reader | None = None
        self._deliver: Deliver | None = None
        self._on_gap: OnGap | None = None
        self._unknown: set[str] = set()  # what a newer version told, as it was logged

    def start(self, deliver: Deliver, deliver_all: DeliverAll | None = None, on_gap: OnGap | None = None) -> None:
        self.node = new_node()
        self._deliver, self._on_gap = deliver, on_gap
        self._subscriptions.want([self._channels.of_node(self.node)])
        make = self._client.connection_pool.make_connection
        self._reader = Reader(make, self._subscriptions, self._take, lambda: self._tell_gap(None), self._tell_late)
        self._reader.start()

    def listen(self, audiences: Collection[str]) -> bool:
        if self._reader is None:
            return False
        ticket = self._subscriptions.want([self._channels.heard(each, self.node) for each in audiences])
        if ticket is None:
            return False
        self._reader.wake()
        if not ticket.wait(CONFIRM_SECONDS):
            self._subscriptions.give_up(ticket)
            raise BrokerDown("Redis: a subscription was not confirmed in time")
        return True

    def unlisten(self, audiences: Collection[str]) -> None:
        own = self._channels.of_node(self.node)
        channels = {self._channels.heard(each, self.node) for each in audiences}
        self._subscriptions.drop(channels - {own})
        if self._reader is not None:
            self._reader.wake()

    def heard_among(self, audiences: Sequence[str]) -> Collection[str]:
        self._check()
        found: set[str] = {each for each in audiences if each.startswith(OF_ONE)}
        asked = [each for each in audiences if each not in found]
        for start in range(0, len(asked), COMMANDS):
            part = asked[start : start + COMMANDS]
            with self._noting():
                counts = self._client.pubsub_numsub(*(self._channels.told(each)[0] for each in part))
            found |= {each for each, (_, count) in zip(part, counts, strict=True) if count}
        return found

    def publish(self, events: Sequence[Event]) -> None:
        if self._later:
            raise BrokerDown("Redis: earlier events wait to be told")
        self._check()
        self._publish(events)

    def tell_later(self, events: Sequence[Event]) -> None:
        self._later.keep(events)

    def tell_gap(self, audiences: Collection[str] | None) -> None:
        self._later.miss(audiences)

    def ping(self) -> None:
        self._check()
        with self._noting():
            self._client.ping()

    def close(self) -> None:
        self._later.close()
        if self._reader is not None:
            self._reader.stop()
        self._deliver = self._on_gap = None
        self._client.close()

    def _check(self) -> None:
        if not self._breaker.admits():
            raise BrokerDown("Redis: did not answer a moment ago")

    def _noting(self) -> _Noting:
        return _Noting(self._breaker)

    def _publish(self, events: Sequence[Event]) -> None:
        commands: list[tuple[str, bytes]] = []
        for event in in_stretches(events):
            raw = event.to_bytes()
            commands += [(channel, raw) for channel in self._channels.told(event.told_at)]
        for start in range(0, len(commands), COMMANDS):
            self._send(commands[start : start + COMMANDS])

    def _send(self, commands: Sequence[tuple[str, bytes]]) -> None:
        with self._noting():
            if len(commands) == 1:
                self._client.publish(*commands[0])
                return
            with self._client.pipeline(transaction=False) as pipeline:
                for channel, raw in commands:
                    pipeline.publish(channel, raw)
                pipeline.execute()

    def _publish_gap(self, audiences: Collection[str] | None) -> None:
        """Tell all processes that Events for these audiences were lost."""
        told = json.dumps({"gap": None if audiences is None else sorted(audiences)}, separators=(",", ":"))
        self._send([(self._channels.told(EVERYBODY)[0], told.encode())])

    def _take(self, raw: bytes) -> None:
        """On the reader: pass on what was told; what cannot be understood is passed over."""
        if self._deliver is None:
            return
        try:
            if raw.startswith(GAP):
                self._tell_gap(json.loads(raw)["gap"])
                return
            event = Event.from_bytes(raw)
        except ValueError as error:
            if (told := str(error)) not in self._unknown and len(self._unknown) < COMMANDS:
                self._unknown.add(told)
                log.warning("an event was passed over, which a newer version may have told: %s", told)
            return
        self._deliver(event)

    def _tell_gap(self, audiences: Collection[str] | None) -> None:
        if self._on_gap is not None:
            self._on_gap(audiences)

    def _tell_late(self, channel: str) -> None:
        audience = self._channels.audience(channel)
        self._tell_gap(None if audience is None else [audience])


class _Noting:
    """Tells the breaker what becomes of what is done inside."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BrokerDown):
            self._breaker.note_fault()
        elif error is None and self._breaker.note_answer():
            log.info("Redis answers again")
