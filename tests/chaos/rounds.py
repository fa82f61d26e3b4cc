"""Rounds: one kill -9 under load, and what became of everything that was sent meanwhile."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from clients.producer import Producer, token
from server.talk import new_visitor
from servers import wait_until
from serving import ROOT, Site

from chaos.bystander import standing_by
from chaos.ledger import Ledger
from chaos.load import ApiSender, PageSender, StreamSender, sending
from chaos.pager import Pager
from chaos.screen import Screen
from chaos.screens import screens, settle

KILLS = ("worker", "master", "consumer", "worker and consumer")
CLAIM_SECONDS = "1"
STREAM_BATCH = 5
STREAM = "chaos"
BEFORE = (20, 90)  # acknowledged messages before the kill
AFTER = 25  # and after it
LOAD_SECONDS = 60.0
SETTINGS = {
    "NOTIWAY_JOBS": "web",
    "NOTIWAY_DRAIN_SECONDS": "1",  # a worker whose master is dead says goodbye before it leaves
    "NOTIWAY_PUBLISH_RATE": "1000000 per minute",
    "NOTIWAY_USER_RATE": "100000 per minute",
}


class ConsumeProcess:
    """`flask … notiway consume` on a stream, as a process of its own."""

    def __init__(self, site: Site, redis_url: str, stream: str = STREAM, **environment: str) -> None:
        self.site = site
        self.environment = site.environment | environment
        self._command = [sys.executable, "-m", "flask", "--app", "app", "notiway", "consume", redis_url]
        self._command += ["--stream", stream, "--claim-after", CLAIM_SECONDS]
        self.log = site.folder / "consumer.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, env=self.environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
            )

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()


@contextlib.contextmanager
def consuming(site: Site, redis_url: str, stream: str = STREAM, **environment: str) -> Iterator[ConsumeProcess]:
    """A running consumer, killed at the end."""
    consumer = ConsumeProcess(site, redis_url, stream, **environment)
    consumer.start()
    try:
        yield consumer
    finally:
        consumer.close()


def kill_worker(site: Site) -> None:
    """kill -9 of the process that serves; gunicorn starts another one."""
    pid = site.worker_pid()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(pid))
    wait_until(site._ready)


def kill_master(site: Site) -> None:
    """kill -9 of gunicorn's own process; its worker leaves by itself, then it is started again."""
    assert site.process is not None
    worker = site.worker_pid()
    site.process.kill()
    site.process.wait()
    wait_until(lambda: not is_alive(worker))
    site.start()


def is_alive(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def kill(what: str, site: Site, consumer: ConsumeProcess) -> None:
    """End what the name says with kill -9, and start it again."""
    if "consumer" in what:
        consumer.kill()
    if "worker" in what:
        kill_worker(site)
    if "master" in what:
        kill_master(site)
    if "consumer" in what:
        consumer.start()


def one_round(what: str, site: Site, producer: Producer, redis_url: str, chance: random.Random, ledger: Ledger) -> None:
    """Kill one thing in the middle of a load from HTTP, a page and a stream."""
    under_load(site, producer, redis_url, chance, ledger, lambda consumer, opened, user: kill(what, site, consumer))


def under_load(
    site: Site,
    producer: Producer,
    redis_url: str,
    chance: random.Random,
    ledger: Ledger,
    strike: Callable[[ConsumeProcess, list[Screen], str], None],
    **environment: str,
) -> None:
    """Do something bad in the middle of a load from HTTP, a page and a stream, whose consumer has this environment.

    A new user has a screen of each wire, and a client that reads the inbox page by page all the time.
    """
    with new_visitor(site) as visitor:
        to = f"user:{visitor.id}"
        pager = Pager(site, ledger, token(site, visitor.id))
        senders = [
            ApiSender(producer, ledger, to),
            ApiSender(producer, ledger, to, batch=1),
            PageSender(visitor, ledger),
            StreamSender(redis_url, STREAM, ledger, to, STREAM_BATCH),
        ]
        with (
            consuming(site, redis_url, **environment) as consumer,
            standing_by(site, ledger),
            screens(site, ledger, token(site, visitor.id, ttl=7200)) as opened,
        ):
            with sending(*senders, pager):
                wait_until(lambda: any(mark.startswith("stream") for mark in tuple(opened[0].has_heard)))
                wait_for_acknowledged(ledger, chance.randint(*BEFORE))
                strike(consumer, opened, visitor.id)
                wait_for_acknowledged(ledger, AFTER)
            settle(site, ledger)
            pager.last()


def wait_for_acknowledged(ledger: Ledger, count: int) -> None:
    """Wait until that many more messages were acknowledged."""
    before = len(ledger.acknowledged)
    wait_until(lambda: len(ledger.acknowledged) >= before + count, LOAD_SECONDS)
