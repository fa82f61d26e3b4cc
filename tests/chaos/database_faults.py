"""Database faults: what happens to PostgreSQL under load, and what became of everything that was sent meanwhile.

`python -m chaos.database_faults --rounds 20` does each of them in turn that often.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from clients.producer import Producer
from postgres import Postgres, own_folder
from relay import Relay
from servers import redis_server, wait_until
from serving import ROOT, Site

from chaos.ledger import Ledger, table, total
from chaos.load import new_mark
from chaos.rounds import SETTINGS, under_load, wait_for_acknowledged
from chaos.screen import Screen
from notiway.values.clock import now_ms
from notiway.values.ids import AHEAD_MS, id_time, is_id, new_id

FAULTS = ("restart", "crash", "failover", "long transaction", "clock ahead")
BAD = ("lost", "doubled", "repeated", "skipped")
DATABASE = "chaos"
CLOCK_AHEAD = ROOT / "tests" / "clock_ahead"
LONG_SECONDS = 60.0
BLINKS = 3
NOTIFICATION = (
    "INSERT INTO notiway_notification (id, audience, name, type, priority, title, message, created_at)"
    " VALUES (%s, %s, 'chaos', 'info', 'low', %s, '', %s)"
)
ITEM = "INSERT INTO notiway_inbox_item (user_id, notification_id, created_at) VALUES (%s, %s, %s)"


class Cluster:
    """A PostgreSQL behind a relay, which is all that a site knows of it; after a failover it is another server."""

    def __init__(self, server: Postgres, relay: Relay, rest: ExitStack) -> None:
        self.server, self.relay, self._rest = server, relay, rest
        self.url = f"postgresql://notiway@127.0.0.1:{relay.port}/{DATABASE}"

    def restart(self, how: int) -> None:
        self.server.stop(how)
        self.server.start()

    def follow(self) -> Postgres:
        """A standby that has all that is acknowledged from now on."""
        return self.server.standby(self._rest.enter_context(own_folder()))

    def fail_over(self, follower: Postgres) -> None:
        """The primary is gone at once, and its standby takes over, under the same address."""
        self.relay.stop()
        self.server.stop(signal.SIGQUIT)
        follower.promote()
        self.relay.target, self.server = follower.port, follower
        self.relay.start()


@contextmanager
def cluster() -> Iterator[Cluster]:
    """One that acknowledges only what it has written."""
    with ExitStack() as rest:
        first = Postgres(rest.enter_context(own_folder()), synchronous_commit="on").initialise().start()
        made = Cluster(first, rest.enter_context(Relay(first.port)), rest)
        try:
            with psycopg.connect(first.url("postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
            yield made
        finally:
            made.server.stop()


def settings(url: str, folder: Path) -> dict[str, str]:
    """Of a site with this database."""
    return SETTINGS | {"NOTIWAY_DATABASE_URL": url, "NOTIWAY_JOBS_URL": f"sqlite:///{folder}/queue.db"}


def one_fault(
    what: str, site: Site, on: Cluster, redis_url: str, chance: random.Random, ledger: Ledger, seconds: float
) -> None:
    """One of `FAULTS`; a long transaction stays open for so many seconds."""
    load: Callable[..., None] = lambda strike, **environment: under_load(  # noqa: E731
        site, Producer(site), redis_url, chance, ledger, strike, **environment
    )
    if what == "failover":
        follower = on.follow()
        load(lambda consumer, opened, user: on.fail_over(follower))
    elif what == "long transaction":
        load(lambda consumer, opened, user: _long_transaction(on, ledger, opened, user, seconds))
    elif what == "clock ahead":
        load(lambda consumer, opened, user: _heard_from_ahead(ledger, opened), **clock_ahead(site))
    else:
        how = signal.SIGQUIT if what == "crash" else signal.SIGINT
        load(lambda consumer, opened, user: on.restart(how))


def clock_ahead(site: Site) -> dict[str, str]:
    """The environment of a process whose clock is an hour ahead."""
    return {"PYTHONPATH": f"{CLOCK_AHEAD}{os.pathsep}{site.environment['PYTHONPATH']}"}


def _heard_from_ahead(ledger: Ledger, opened: list[Screen]) -> None:
    """Each client comes back from an id that is an hour ahead."""
    by_id = [screen for screen in opened if is_id(screen.newest)]
    assert by_id
    wait_until(lambda: all(id_time(screen.newest) > now_ms() + AHEAD_MS for screen in by_id))
    blink(ledger, opened)


def _long_transaction(on: Cluster, ledger: Ledger, opened: list[Screen], user: str, seconds: float) -> None:
    """It stores a message of its own first, and commits it last: readers have been far beyond it by then."""
    mark = new_mark("late")
    ledger.note_sent(mark)
    until = time.monotonic() + seconds
    with psycopg.connect(on.server.url(DATABASE)) as connection:
        made, now = new_id(), round(time.time() * 1000)
        connection.execute(NOTIFICATION, (made, f"user:{user}", mark, now))
        connection.execute(ITEM, (user, made, now))
        while True:
            blink(ledger, opened)
            if time.monotonic() > until:
                break
        connection.commit()
    ledger.note_acknowledged(mark)
    wait_for_acknowledged(ledger, 10)
    blink(ledger, opened)  # nobody was told of it: it is found by those who come back


def blink(ledger: Ledger, opened: list[Screen]) -> None:
    """Each client comes back, from the last it was told, while others commit."""
    for screen in opened:
        wait_for_acknowledged(ledger, 3)
        screen.blink()
        wait_for_acknowledged(ledger, 3)
        screen.wake()


def main() -> int:
    """Run the rounds; 1 if anything was lost, doubled, or on no page or two of them."""
    parser = argparse.ArgumentParser(prog="python -m chaos.database_faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="of each fault")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--fault", choices=FAULTS, help="only this")
    parser.add_argument("--seconds", type=float, default=LONG_SECONDS, help="that a long transaction stays open")
    parser.add_argument("--together", type=int, default=1, help="so many long transactions at a time, each for a user")
    chosen = parser.parse_args()
    chance = random.Random(chosen.seed)
    print(f"seed {chosen.seed}", flush=True)
    done: dict[str, list[Ledger]] = {what: [] for what in FAULTS if chosen.fault in (None, what)}
    with TemporaryDirectory(prefix="notiway-chaos-") as folder, redis_server() as redis_url, cluster() as on:
        site = Site(Path(folder), "loud_app:app", **settings(on.url, Path(folder))).prepare().start()
        try:

            def one_round(what: str, number: int) -> None:
                ledger = Ledger(f"round {number + 1}: {what}")
                one_fault(what, site, on, redis_url, chance, ledger, chosen.seconds)
                done[what].append(ledger)
                print("\n".join(table([(ledger.name, ledger.figures())])), flush=True)

            for what in done:
                at_a_time = chosen.together if what == "long transaction" else 1
                with ThreadPoolExecutor(at_a_time) as pool:
                    rounds = [pool.submit(one_round, what, number) for number in range(chosen.rounds)]
                    try:
                        for each in rounds:
                            each.result()
                    finally:
                        pool.shutdown(wait=False, cancel_futures=True)  # at Ctrl-C no further one begins
        finally:
            site.close()
            ran = {what: [each.figures() for each in ledgers] for what, ledgers in done.items() if ledgers}
            rows = [(f"{len(figures)} rounds: {what}", total(figures)) for what, figures in ran.items()]
            print("\n".join(["", *table(rows)]), flush=True)
    return int(any(figures[key] for each in ran.values() for figures in each for key in BAD))


if __name__ == "__main__":
    sys.exit(main())
