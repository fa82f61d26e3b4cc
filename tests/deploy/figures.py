"""Figures: what three nodes show: who spends nothing, what another node adds, and a restart of all in turn."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from statistics import median

from chaos.ledger import Ledger
from chaos.load import ApiSender, PageSender, sending
from chaos.rounds import wait_for_acknowledged
from chaos.screen import Screen
from chaos.screens import WIRES, screens, settle
from clients.producer import Producer, envelope, token
from server.talk import new_visitor
from serving import Site

from deploy.crowd import Crowd
from deploy.nodes import Nodes, counted, rested_cpu

RECEIVED = "notiway_events_received_total"
BATCH = 50  # envelopes in one request
TOKEN_SECONDS = 7200
numbers = itertools.count(1)


@dataclass
class Share:
    """What one node did while others, or all, delivered."""

    events: float  # that it took from Redis
    created: float  # those of them that tell of a notification
    cpu_seconds: float


@dataclass
class Work:
    """Deliveries of one kind, and what each node did for them."""

    deliveries: int
    seconds: float
    shares: list[Share]

    @property
    def cpu_us(self) -> float:
        """CPU of all nodes for one delivery."""
        return sum(share.cpu_seconds for share in self.shares) * 1e6 / self.deliveries

    @property
    def busiest(self) -> float:
        """CPU seconds of the node that had most to do: were each on a core of its own, it would take so long."""
        return max(share.cpu_seconds for share in self.shares)


class _Measured:
    def __init__(self, sites: Sequence[Site]) -> None:
        self._sites = sites
        self._before = self._now()
        self._began = time.monotonic()

    def _now(self) -> list[Share]:
        return [
            Share(counted(site, RECEIVED), counted(site, RECEIVED, 'kind="created"'), rested_cpu(site))
            for site in self._sites
        ]

    def work(self, deliveries: int) -> Work:
        seconds = time.monotonic() - self._began
        pairs = zip(self._before, self._now(), strict=True)
        shares = [
            Share(now.events - then.events, now.created - then.created, now.cpu_seconds - then.cpu_seconds)
            for then, now in pairs
        ]
        return Work(deliveries, seconds, shares)


def users(count: int) -> list[str]:
    """Users whom no node has heard of: for some seconds it goes on to hear those who have left."""
    return [f"listener{next(numbers)}" for _ in range(count)]


def crowd_at(site: Site, names: Sequence[str]) -> Crowd:
    """A connection for each of these users, at one node."""
    return Crowd(site.port, [token(site, name, ttl=TOKEN_SECONDS) for name in names])


def silence(made: Nodes, listeners: int, sends: int) -> Work:
    """Let all users listen at the first node and publish at the second: the third has nothing to do with it."""
    names = users(listeners)
    with closing(crowd_at(made.sites[0], names)) as crowd:
        publish = partial(_send_each, made.producer, names, made.sites[1])
        publish(len(names))
        crowd.wait_for(len(names))
        measured = _Measured(made.sites)
        publish(sends)
        crowd.wait_for(len(names) + sends)
        return measured.work(sends)


def idle(made: Nodes, seconds: float) -> list[Share]:
    """What the nodes do in so much time with nothing to do."""
    measured = _Measured(made.sites)
    time.sleep(seconds)
    return measured.work(1).shares


def capacity(made: Nodes, listeners: int, broadcasts: int, sends: int) -> dict[str, Work]:
    """Broadcasts to listeners who are spread over the nodes, then stored sends to each of them, through nginx."""
    names = users(listeners)
    count = len(made.sites)
    with ExitStack() as stack:
        places = [names[number::count] for number in range(count)]
        crowds = [
            stack.enter_context(closing(crowd_at(site, own))) for site, own in zip(made.sites, places, strict=True)
        ]
        told = 0

        def tell_all() -> None:
            nonlocal told
            made.producer.publish("global", "broadcast", {"title": "To everybody", "message": "x" * 300})
            told += 1
            for crowd in crowds:
                crowd.wait_for(told * len(crowd))

        tell_all()
        measured = _Measured(made.sites)
        for _ in range(broadcasts):
            tell_all()
        to_all = measured.work(broadcasts * listeners)
        measured = _Measured(made.sites)
        before = sum(crowd.heard for crowd in crowds)
        _send_each(made.producer, names, made.door, sends)
        while sum(crowd.heard for crowd in crowds) < before + sends:
            time.sleep(0.005)
        return {"broadcasts": to_all, "stored sends": measured.work(sends)}


def _send_each(producer: Producer, names: Sequence[str], at: Site, count: int) -> None:
    """Publish stored envelopes to these users in turn, at one place."""
    for start in range(0, count, BATCH):
        to = [names[number % len(names)] for number in range(start, min(start + BATCH, count))]
        envelopes = [envelope(f"user:{name}", "single", {"title": "To one"}, True) for name in to]
        answer = producer.http.post(f"{at.url}/api/notifications", json=envelopes, timeout=60)
        assert answer.ok, answer.text


def rolling_restart(made: Nodes, ledger: Ledger, each_wire: int, acknowledged: int) -> list[Screen]:
    """Restart each node in turn under load, with clients on every wire; so many sends are acknowledged in between.

    Senders and clients know only nginx. The ledger has what became of everything, and how long clients were away.
    """
    with new_visitor(made.door) as visitor:
        senders = [ApiSender(made.producer, ledger, f"user:{visitor.id}"), PageSender(visitor, ledger)]
        key = token(made.door, visitor.id, ttl=TOKEN_SECONDS)
        with screens(made.door, ledger, key, *WIRES * each_wire, apart=True) as opened:
            with sending(*senders):
                for site in made.sites:
                    wait_for_acknowledged(ledger, acknowledged)
                    assert site.stop() == 0
                    site.start()
                wait_for_acknowledged(ledger, acknowledged)
            settle(made.door, ledger)
    away = [seconds for screen in opened for seconds in screen.away]
    if away:
        ledger.remarks["away_p50_ms"] = round(median(away) * 1000)
    ledger.remarks["reconnects"] = len(away)
    return opened
