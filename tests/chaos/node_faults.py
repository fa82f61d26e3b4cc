"""Node faults: what happens to a node, to Redis or between them under load, and what became of all that was sent.

`python -m chaos.node_faults --rounds 20` does each of them in turn that often.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clients.producer import Producer, token
from postgres import Postgres, postgres_server
from relay import Relay
from server.talk import new_visitor
from servers import free_port, redis_process, wait_until
from serving import Site

from chaos.bystander import standing_by
from chaos.database_faults import BAD, blink, clock_ahead
from chaos.ledger import Ledger, table, total
from chaos.load import ApiSender, PageSender, sending
from chaos.pager import Pager
from chaos.rounds import LOAD_SECONDS, SETTINGS, is_alive, wait_for_acknowledged
from chaos.screen import Screen
from chaos.screens import KINDS, WIRES, settle

NODE_FAULTS = ("worker", "node", "redis stopped", "redis frozen", "partition", "partition and cut", "clock ahead")
LIVE_FAULTS = ("live process", "live process with Redis")
FAULTS = NODE_FAULTS + LIVE_FAULTS
AWAY_SECONDS = float(os.environ.get("CHAOS_AWAY_SECONDS", "10"))
BEFORE = (20, 60)  # acknowledged messages before the fault
AFTER = 20  # and after it
SHARED = {"NOTIWAY_CONNECT_RATE": "200"}  # those who come back are spread over a second or two


class Front:
    """The address that a client has: it leads to one node, and to the other one while that is down."""

    def __init__(self, home: Site, other: Site, down: set[Site]) -> None:
        self._home, self._other, self._down = home, other, down

    def __getattr__(self, name: str) -> Any:
        return getattr(self._other if self._home in self._down else self._home, name)


class Nodes:
    """Two nodes that share PostgreSQL and Redis: the first has two workers, and reaches Redis through a relay."""

    def __init__(self, folder: Path, database_url: str, rest: ExitStack) -> None:
        self._rest = rest
        self._redis_port = free_port()
        self._redis = rest.enter_context(redis_process(self._redis_port))
        self.relay = rest.enter_context(Relay(self._redis_port))
        self.down: set[Site] = set()
        behind = f"redis://127.0.0.1:{self.relay.port}/0"
        self.first = self._node(folder / "first", database_url, behind, WEB_CONCURRENCY="2").prepare().start()
        self.second = self._node(folder / "second", database_url, self._redis.url).start()
        self.producer = Producer(self.second)

    def _node(self, folder: Path, database_url: str, redis_url: str, **settings: str) -> Site:
        folder.mkdir()
        places = {"NOTIWAY_DATABASE_URL": database_url, "NOTIWAY_JOBS_URL": f"sqlite:///{folder}/queue.db"}
        node = Site(folder, "loud_app:app", **(SETTINGS | SHARED | places | settings), NOTIWAY_BROKER_URL=redis_url)
        self._rest.callback(node.close)
        return node

    def fronts(self) -> tuple[Front, Front]:
        """What pages and producers call: each node, as long as it is up."""
        return Front(self.first, self.second, self.down), Front(self.second, self.first, self.down)

    def lines(self) -> tuple[Front, Front]:
        """Where sockets are opened."""
        return self.fronts()

    def watched(self, what: str) -> Site:
        """The node whose answers are timed."""
        return self.second if what == "node" else self.first

    def strike(self, what: str, seconds: float) -> None:
        if what == "worker":
            pid = self.first.worker_pid()
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not is_alive(pid))
        elif what == "node":
            with self._without_first():
                self.first.kill()
                self.first.start()
        elif what == "redis stopped":
            self._redis.stop()
            time.sleep(seconds)
            self._redis = self._rest.enter_context(redis_process(self._redis_port))
        elif what == "redis frozen":
            os.kill(self._redis.pid, signal.SIGSTOP)
            time.sleep(seconds)
            os.kill(self._redis.pid, signal.SIGCONT)
        elif what == "partition":
            self.relay.fall_silent()
            time.sleep(seconds)
            self.relay.speak()
        elif what == "partition and cut":
            self.relay.drop()
            time.sleep(seconds)
            self.relay.heal()

    @contextlib.contextmanager
    def aside(self, what: str) -> Iterator[None]:
        """Around the whole round: the clock of the first node may be ahead."""
        if what != "clock ahead":
            yield
            return
        usual = self.first.environment
        self._renew(usual | clock_ahead(self.first))
        try:
            yield
        finally:
            self._renew(usual)

    def _renew(self, environment: dict[str, str]) -> None:
        self.first.environment = environment
        self.first.stop()
        self.first.start()

    @contextlib.contextmanager
    def _without_first(self) -> Iterator[None]:
        """Who comes meanwhile is led to the other node, as a proxy does that looks at /readyz."""
        self.down.add(self.first)
        try:
            yield
        finally:
            self.down.discard(self.first)


class Beside:
    """An application under sync workers, and a live process beside it, which holds the sockets."""

    def __init__(self, folder: Path, rest: ExitStack, redis_url: str = "") -> None:
        settings = SETTINGS | SHARED | ({"NOTIWAY_BROKER_URL": redis_url} if redis_url else {})
        self.application = Site(folder, "loud_app:app", **settings).prepare()
        rest.callback(self.application.close)
        self.application.start("-k", "sync", "-w", "2")
        self.live = self.application.beside()
        rest.callback(self.live.close)
        self.live.hold()
        self.producer = Producer(self.application)

    def fronts(self) -> tuple[Front, Front]:
        whole = Front(self.application, self.application, set())
        return whole, whole

    def lines(self) -> tuple[Front, Front]:
        whole = Front(self.live, self.live, set())
        return whole, whole

    def watched(self, what: str) -> Site:
        return self.live

    def strike(self, what: str, seconds: float) -> None:
        self.live.kill()
        self.live.hold()

    def aside(self, what: str) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


def one_fault(what: str, on: Nodes | Beside, chance: random.Random, ledger: Ledger, seconds: float) -> None:
    """One of `FAULTS` in the middle of a load; what is away stays away for so many seconds.

    A new user has two screens of each wire, one at each node, and a client that reads the inbox page by page all the
    time. A page and two producers send, at both nodes.
    """
    first, second = on.fronts()
    with on.aside(what), new_visitor(second) as visitor:
        to, own = f"user:{visitor.id}", token(second, visitor.id, ttl=7200)
        pager = Pager(second, ledger, own)
        senders = [
            ApiSender(_at(first, on.producer), ledger, to),
            ApiSender(_at(second, on.producer), ledger, to, batch=1),
            PageSender(visitor, ledger),
        ]
        with standing_by(on.watched(what), ledger), opened_at(on.lines(), ledger, own) as opened:
            with sending(*senders, pager):
                wait_for_acknowledged(ledger, chance.randint(*BEFORE))
                on.strike(what, seconds)
                if what == "clock ahead":
                    blink(ledger, opened)
                wait_for_acknowledged(ledger, AFTER)
            settle(second, ledger, LOAD_SECONDS)
            pager.last()
        ledger.remarks["came_back"] = sum(screen.connects - 1 for screen in opened)


def _at(front: Front, producer: Producer) -> Producer:
    """The same producer, who calls this address."""
    there = copy.copy(producer)
    there.site = front
    return there


@contextlib.contextmanager
def opened_at(fronts: tuple[Front, ...], ledger: Ledger, own: str) -> Iterator[list[Screen]]:
    """A live screen of each wire at each address, closed at the end."""
    opened: list[Screen] = []
    try:
        for number, front in enumerate(fronts):
            opened += [KINDS[wire](front, ledger, own, f"{wire} {number}").start() for wire in WIRES]
        for screen in opened:
            screen.wait_until_live()
        yield opened
    finally:
        for screen in opened:
            screen.close()


@contextlib.contextmanager
def nodes() -> Iterator[Nodes]:
    with ExitStack() as rest:
        folder = Path(rest.enter_context(TemporaryDirectory(prefix="notiway-chaos-")))
        server: Postgres = rest.enter_context(postgres_server(synchronous_commit="on"))
        yield Nodes(folder, server.empty(), rest)


@contextlib.contextmanager
def beside(what: str) -> Iterator[Beside]:
    with ExitStack() as rest:
        folder = Path(rest.enter_context(TemporaryDirectory(prefix="notiway-chaos-")))
        redis_url = rest.enter_context(redis_process()).url if "Redis" in what else ""
        yield Beside(folder, rest, redis_url)


def is_bad(figures: dict[str, Any]) -> bool:
    return any(figures[key] for key in BAD)


def main() -> int:
    """Run the rounds; 1 if anything was lost, doubled, or on no page or two of them."""
    parser = argparse.ArgumentParser(prog="python -m chaos.node_faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="of each fault")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--fault", choices=FAULTS, action="append", help="only this; may be given several times")
    parser.add_argument("--seconds", type=float, default=AWAY_SECONDS, help="that Redis is away")
    chosen = parser.parse_args()
    wanted = chosen.fault or FAULTS
    chance = random.Random(chosen.seed)
    print(f"seed {chosen.seed}", flush=True)
    ran: dict[str, list[dict[str, Any]]] = {}

    def run(on: Nodes | Beside, *faults: str) -> None:
        for number in range(chosen.rounds):
            for what in faults:
                ledger = Ledger(f"round {number + 1}: {what}")
                one_fault(what, on, chance, ledger, chosen.seconds)
                ran.setdefault(what, []).append(ledger.figures())
                print("\n".join(table([(ledger.name, ledger.figures())])), flush=True)

    try:
        if at_nodes := [what for what in wanted if what in NODE_FAULTS]:
            with nodes() as on:
                run(on, *at_nodes)
        for what in wanted:
            if what in LIVE_FAULTS:
                with beside(what) as on:
                    run(on, what)
    finally:
        rows = [(f"{len(figures)} rounds: {what}", total(figures)) for what, figures in ran.items()]
        print("\n".join(["", *table(rows)]), flush=True)
    return int(any(is_bad(figures) for each in ran.values() for figures in each))


if __name__ == "__main__":
    sys.exit(main())
