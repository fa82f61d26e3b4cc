"""Peers: the presence of several processes, in the broker's Redis.

Each process tells once a second that it lives, and within a moment what its users hear. One that dies counts no more
after `LEASE_MS`, and one of the others is told of it: the one that died may have left Events untold.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from notiway.live.hub import Hub
from notiway.live.shared import scripts
from notiway.live.shared.asking import Asking
from notiway.live.shared.node import Node, this_process
from notiway.live.shared.presence import MS, Here, OnDeath
from notiway.live.shared.roll import Change, Roll
from notiway.store.sql import in_batches
from notiway.values.clock import now_ms
from notiway.values.close_codes import CloseCode
from notiway.values.errors import BrokerDown

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
TICK_SECONDS = 0.1  # within which the others know who came and went
LEASE_MS = 5_000
DIED_MS = 1_000  # beyond the lease, after which one of the others is told
STEADY_BEATS = 3  # before it judges others: after Redis was away they need a moment to say that they live
LEFT_MS = 60_000  # after which others remove what a process left behind
RENEW_SECONDS = 3600.0  # between two times that everything is told anew
AT_ONCE = 200  # changes, users or audiences in one question, each of them a millisecond of Redis or less
EXACTLY = 20_000  # users; to count more would hold up Redis
EVERYBODY = "global"


class Peers:
    """Who is connected to any process. While Redis is away it knows of this process only.

    >>> peers = Peers(Asking(open_client("redis://")), hub, most=50)  # doctest: +SKIP
    >>> peers.among(["ada", "bob"])  # doctest: +SKIP
    {'bob'}
    """

    is_shared = True

    def __init__(self, asking: Asking, hub: Hub, most: int) -> None:
        self._asking = asking
        self._here = Here(hub)
        self._hub = hub
        self._node = ""
        self._most = most  # connections of one user
        self._roll = Roll(hub.listeners)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._beat_at = self._renewed_at = 0.0
        self._ahead = self._answer = 0.0
        self._steady = 0  # beats in a row, each within the lease of the one before
        self.numbers: dict[str, Any] = {}
        self.others: list[Node] = []
        self.on_death: OnDeath | None = None
        names = ("BEAT", "NODES", "CHANGE", "REMOVE", "USERS", "COUNT", "AMONG")
        self._scripts = {name: asking.client.register_script(getattr(scripts, name)) for name in names}

    # Any process may ask

    def online(self) -> int:
        return int(self._ask(lambda: self._run("COUNT", EVERYBODY, EXACTLY), self._here.online))

    def among(self, user_ids: Collection[str]) -> set[str]:
        def ask() -> set[str]:
            found = set()
            for part in in_batches(list(user_ids), AT_ONCE):
                answers = self._run("AMONG", EVERYBODY, *part)
                found |= {user_id for user_id, is_here in zip(part, answers, strict=True) if is_here}
            return found

        return self._asking.ask(lambda _: ask(), lambda: self._here.among(user_ids))

    def users_of(self, audience: str) -> set[str]:
        return self._asking.ask(
            lambda _: {user_id.decode() for user_id in self._run("USERS", audience)},
            lambda: self._here.users_of(audience),
        )

    def nodes(self) -> list[Node]:
        return _read(self._asking.need(lambda _: self._run("NODES")))

    # The process that holds connections

    def start(self, node: str) -> None:
        self.begin(node)
        self._thread = threading.Thread(target=self._work, name="notiway-peers", daemon=True)
        self._thread.start()

    def begin(self, node: str) -> None:
        """Be this node; nothing is told before `tick`."""
        self._node = node
        self._roll.renew()

    def stop(self) -> None:
        if self._thread is None:
            return
        self._stopping.set()
        self._thread.join(BEAT_SECONDS)
        self._thread = None
        self._ask(self._leave, lambda: None)

    def _work(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            try:
                self.tick(time.monotonic())
            except BrokerDown:
                pass  # told by `Asking`
            except Exception:
                log.exception("what other processes have to know of this one could not be told; it is tried again")

    def tick(self, now: float) -> None:
        """Tell what is new; `BrokerDown` while Redis is away. What could not be told is told the next time."""
        if self._asking.is_away:
            return
        if now - self._renewed_at >= RENEW_SECONDS:
            self._renewed_at = now
            self._roll.renew()
        self._beat_if_due(now)
        while changes := self._roll.changes(AT_ONCE):
            self._tell(changes)
            self._beat_if_due(time.monotonic())

    def _beat_if_due(self, now: float) -> None:
        if now - self._beat_at >= BEAT_SECONDS:
            self._beat_at = now
            self._asking.need(lambda _: self._beat())

    def _beat(self) -> None:
        oldest = self._hub.waiting.oldest_seconds * MS
        mine = this_process(
            self._node,
            connections=len(self._hub),
            ahead=round(self._ahead, 1),
            answer=round(self._answer, 1),
            oldest=round(oldest, 1),
            numbers=self.numbers,
        )
        judges = DIED_MS if self._steady >= STEADY_BEATS else ""
        began = time.monotonic()
        now, was_known, is_steady, gone, died, told = self._run(
            "BEAT", self._node, LEASE_MS, mine.to_text(), LEFT_MS, judges
        )
        self._steady = self._steady + 1 if is_steady else 0
        self._answer = (time.monotonic() - began) * MS
        self._ahead = now_ms() - self._answer / 2 - now
        self.others = [node for node in _read(told) if node.id != self._node]
        if not was_known:  # Redis has lost it, or others took us for dead
            self._roll.renew()
        for node in gone:
            self._remove(node.decode())
        if died and self.on_death is not None:
            self.on_death((min(map(float, died)) - LEASE_MS) / MS)

    def _tell(self, changes: list[Change]) -> None:
        told = [[each.user_id, each.connections, sorted(each.new), sorted(each.over)] for each in changes]
        try:
            self._asking.need(lambda _: self._change(told))
        except BrokerDown:
            self._roll.take_back(changes)
            raise

    def _change(self, told: Iterable[Any]) -> None:
        kept = scripts.KEPT_SECONDS
        for user_id, count in self._run("CHANGE", self._node, self._most, kept, json.dumps(told)):
            self._hub.in_turn(self._turn_away, user_id.decode(), count)

    def _turn_away(self, user_id: str, count: int) -> None:
        """Close the newest connections of a user, who has too many over all processes; on the reactor."""
        for connection in self._roll.connections_of(user_id)[-count:]:
            connection.format.transport.turn_away(connection, CloseCode.TOO_MANY, "too many connections")

    def _leave(self) -> None:
        client = self._asking.client
        client.zrem("notiway:nodes", self._node)
        client.hdel("notiway:told", self._node)
        self._remove(self._node)

    def _remove(self, node: str) -> None:
        while self._run("REMOVE", node, AT_ONCE):
            pass

    def _ask(self, question: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        return self._asking.ask(lambda _: question(), otherwise)

    def _run(self, name: str, *args: Any) -> Any:
        return self._scripts[name](args=args)


def _read(told: Iterable[bytes | None]) -> list[Node]:
    found = (Node.read(text) for text in told if text is not None)
    return sorted((node for node in found if node is not None), key=lambda node: (node.host, node.pid, node.id))
