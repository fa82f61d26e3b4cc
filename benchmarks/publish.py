"""What publishing an envelope costs: over HTTP, one at a time and in arrays, and from a Redis Stream.

    python benchmarks/publish.py                 about a minute
    python benchmarks/publish.py --quick         fewer repeats
    python benchmarks/publish.py --json PATH     the figures for a program as well

README.md beside this file tells what is measured and how.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
from server import HERE, ROOT, clean_environment, free_port, notiway, settled_cpu
from worker import Listeners, Worker, request_of

USERS = 100  # whom the envelopes are for, in turn
LISTENING = 20  # of these, while somebody listens
SINGLES = 400  # requests in a batch
ENVELOPES = 4_000  # in a batch of arrays
ENTRIES = 10_000  # in the stream
BATCHES = 7
QUICK = (3, 100, 1_000, 2_000)
SINGLE_GOAL = 1.3  # times the bare route
ARRAY_GOAL = 20.0  # times the bare route's rate
STREAM_GOAL = 5_000.0  # envelopes a second on one core
PATIENCE_SECONDS = 120.0

WORKER = notiway("publish_app")


@dataclass
class Row:
    """One way to publish; CPU µs for each envelope, batch by batch."""

    name: str
    kind: str  # bare, single, array or stream
    costs: list[float] = field(default_factory=list)
    beside: dict[str, float] = field(default_factory=dict)

    @property
    def us(self) -> float:
        return statistics.median(self.costs)


class Site:
    """The server, its users, and envelopes for them; each has an id of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        usual = {
            "BENCHMARK_BARE_FILE": str(folder / "bare.db"),
            "NOTIWAY_ENV": "production",
            "NOTIWAY_DATABASE_URL": f"sqlite:///{folder}/notiway.db",
            "NOTIWAY_PUBLISH_RATE": "1000000000 per minute",
            "NOTIWAY_TOKEN_RATE": "1000000 per minute",
            "SECRET_KEY": "a secret of the benchmark, of more than 32 bytes",
            "PYTHONPATH": f"{ROOT}:{HERE / 'peers'}",
        }
        self.environment = clean_environment(**(usual | settings))
        command = [sys.executable, str(HERE / "peers" / "publish_app.py"), str(USERS)]
        made = subprocess.run(command, env=self.environment, cwd=HERE, capture_output=True, text=True, check=False)
        if made.returncode:
            raise SystemExit(made.stderr)
        prepared = json.loads(made.stdout)
        self.users, self.key = prepared["users"], prepared["key"]
        self.worker = Worker(WORKER, self.environment, folder / "server.log")
        self._numbers = itertools.count()

    def envelope(self, *, stored: bool = True, everybody: bool = False) -> dict[str, Any]:
        number = next(self._numbers)
        routing = {"audienceType": 1} if everybody else {"audienceType": 4, "audienceValue": self.users[number % USERS]}
        return {
            "id": f"billing-invoice-ready-{number}",
            "type": "invoice-ready",
            "body": {"title": f"Invoice {number} is ready", "message": "John paid $500 for invoice #123",
                     "invoiceId": f"INV-{number}", "amount": 149.99, "currency": "USD"},
            "routing": {"audienceValue": None, "tenantId": None} | routing,
            "metadata": {"producer": "benchmark", "timeStamp": "2026-01-15T09:00:00Z", "isPersisted": stored},
        }  # fmt: skip

    def post(self, path: str, given: object) -> bytes:
        return request_of("POST", path, json.dumps(given).encode(), self.key)

    def tokens(self) -> list[str]:
        asked = [self.post("/api/tokens", {"userId": user}) for user in self.users[:LISTENING]]
        made = []
        for each in asked:
            self.worker.caller.call([each])
            made.append(json.loads(self.worker.caller.answers[0])["token"])
        return made


def over_http(site: Site, rows: list[Row], batches: int, singles: int, envelopes: int) -> None:
    """All ways take turns, so that a change of the machine's mood meets all of them."""
    bare, user, everybody, unstored, hundred, thousand, broadcasts, passing = rows

    def note(row: Row, requests: list[bytes], count: int) -> None:
        row.costs.append(site.worker.cost(requests) * 1e6 / count)

    api = "/api/notifications"
    for _ in range(batches + 1):
        note(bare, [site.post("/bare", site.envelope()) for _ in range(singles)], singles)
        note(user, [site.post(api, site.envelope()) for _ in range(singles)], singles)
        note(everybody, [site.post(api, site.envelope(everybody=True)) for _ in range(singles // 4)], singles // 4)
        note(unstored, [site.post(api, site.envelope(stored=False)) for _ in range(singles)], singles)
        for row, size, options in (
            (hundred, 100, {}),
            (thousand, 1_000, {}),
            (broadcasts, 1_000, {"everybody": True}),
            (passing, 1_000, {"stored": False}),
        ):
            arrays = [[site.envelope(**options) for _ in range(size)] for _ in range(envelopes // size)]
            note(row, [site.post(api, array) for array in arrays], envelopes)
    for row in rows:
        del row.costs[0]  # that warmed up


def heard(site: Site, row: Row, batches: int, singles: int) -> None:
    """One envelope at a time while users listen; each must reach its user."""
    listeners = Listeners(site.worker.port, site.tokens())
    try:
        for number in range(batches + 1):
            given = [site.envelope() for _ in range(singles)]
            listening = set(site.users[:LISTENING])
            due = listeners.heard + sum(each["routing"]["audienceValue"] in listening for each in given)
            used = site.worker.cost([site.post("/api/notifications", each) for each in given])
            if listeners.wait_for(due) != due:
                raise SystemExit(f"{listeners.heard} notifications were heard, not {due}")
            if number:
                row.costs.append(used * 1e6 / singles)
    finally:
        listeners.close()


def from_stream(site: Site, row: Row, entries: int, folder: Path) -> None:
    """Fill a stream, then let `notiway consume` drain it while users listen."""
    port = free_port()
    program = shutil.which("redis-server")
    if program is None:
        raise SystemExit("redis-server is needed")
    with ExitStack() as stack:
        server = subprocess.Popen(
            [program, "--port", str(port), "--save", "", "--dir", str(folder), "--bind", "127.0.0.1"],
            stdout=subprocess.DEVNULL,
        )
        stack.callback(server.wait)
        stack.callback(server.terminate)
        client = redis.Redis(port=port, protocol=2)
        _until(lambda: _answers(client))
        listeners = Listeners(site.worker.port, site.tokens())
        stack.callback(listeners.close)
        given = [site.envelope() for _ in range(entries)]
        listening = set(site.users[:LISTENING])
        due = sum(each["routing"]["audienceValue"] in listening for each in given)
        client.xgroup_create("notiway", "notiway", id="0", mkstream=True)
        command = [
            sys.executable,
            "-m",
            "flask",
            "--app",
            "publish_app",
            "notiway",
            "consume",
            f"redis://127.0.0.1:{port}/0",
        ]
        log = folder / "consumer.log"
        with log.open("wb") as out:
            consumer = subprocess.Popen(command, env=site.environment, cwd=HERE / "peers", stdout=out, stderr=out)
        stack.callback(consumer.wait)
        stack.callback(consumer.terminate)
        _until(lambda: client.xinfo_consumers("notiway", "notiway") or _ended(consumer, log))
        consumer_before, web_before = settled_cpu(consumer.pid), settled_cpu(site.worker.pid)
        with client.pipeline(transaction=False) as pipeline:
            for each in given:
                pipeline.xadd("notiway", {"envelope": json.dumps(each)})
            started = time.monotonic()
            pipeline.execute()
        _until(lambda: _is_drained(client, entries) or _ended(consumer, log))
        seconds = time.monotonic() - started
        if listeners.wait_for(due) != due:
            raise SystemExit(f"{listeners.heard} notifications were heard, not {due}")
        until_heard = time.monotonic() - started
        consumer_used = settled_cpu(consumer.pid) - consumer_before
        web_used = settled_cpu(site.worker.pid) - web_before
    row.costs.append((consumer_used + web_used) * 1e6 / entries)
    row.beside = {
        "consumer_us": consumer_used * 1e6 / entries,
        "web_us": web_used * 1e6 / entries,
        "rate_by_the_clock": entries / seconds,
        "seconds_until_heard": until_heard,
    }


def _is_drained(client: Any, entries: int) -> bool:
    group = client.xinfo_groups("notiway")[0]
    return group["entries-read"] == entries and not group["pending"]


def _answers(client: Any) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def _ended(process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        raise SystemExit(log.read_text())
    return False


def _until(is_so: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit("it takes too long")
        time.sleep(0.02)


def table(rows: list[Row]) -> str:
    """The figures as Markdown."""
    floor = rows[0].us
    lines = [
        "| published | CPU µs / envelope | lowest, highest | times the bare route | its rate |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        spread = f"{min(row.costs):.0f}, {max(row.costs):.0f}"
        lines.append(f"| {row.name} | {row.us:.0f} | {spread} | {row.us / floor:.2f} | {floor / row.us:.1f}x |")
    return "\n".join(lines)


def goals(rows: list[Row]) -> list[tuple[str, bool]]:
    floor = rows[0].us
    judged = []
    for row in rows:
        if row.kind == "single":
            ratio = row.us / floor
            judged.append(
                (f"{row.name}: {ratio:.2f} times the bare route (at most {SINGLE_GOAL})", ratio <= SINGLE_GOAL)
            )
        elif row.kind == "array":
            rate = floor / row.us
            judged.append(
                (f"{row.name}: {rate:.1f} times the bare route's rate (at least {ARRAY_GOAL:.0f})", rate >= ARRAY_GOAL)
            )
        elif row.kind == "stream":
            for name, used in (("the consumer alone", row.beside["consumer_us"]), ("consumer and web process", row.us)):
                rate = 1e6 / used
                judged.append((f"{row.name}, {name}: {rate:,.0f} a second on one core (at least {STREAM_GOAL:,.0f})",
                               rate >= STREAM_GOAL))  # fmt: skip
    return judged


@contextmanager
def running() -> Iterator[tuple[Site, Path]]:
    with tempfile.TemporaryDirectory() as name:
        site = Site(Path(name))
        try:
            yield site, Path(name)
        finally:
            site.worker.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there too")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and so the servers are stopped too
    batches, singles, envelopes, entries = QUICK if given.quick else (BATCHES, SINGLES, ENVELOPES, ENTRIES)
    rows = [
        Row("bare Flask route, one row", "bare"),
        Row("one envelope for a user, stored", "single"),
        Row("one envelope for everybody, stored", "single"),
        Row("one envelope for a user, not stored", "single"),
        Row("array of 100, stored", "array"),
        Row("array of 1,000, stored", "array"),
        Row("array of 1,000 for everybody, stored", "array"),
        Row("array of 1,000, not stored", "array"),
    ]
    listened = Row(f"one envelope for a user, stored, {LISTENING} of {USERS} listen", "heard")
    stream = Row(f"Redis Stream, stored, {LISTENING} of {USERS} listen", "stream")
    with running() as (site, folder):
        over_http(site, rows, batches, singles, envelopes)
        heard(site, listened, batches, singles)
        from_stream(site, stream, entries, folder)
    rows += [listened, stream]
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}")
    print(table(rows))
    print()
    also = stream.beside
    print(
        f"Stream: consumer {also['consumer_us']:.0f} µs and web process {also['web_us']:.0f} µs of CPU an envelope;"
        f" {also['rate_by_the_clock']:,.0f} a second by the clock,"
        f" the last one heard after {also['seconds_until_heard']:.1f} s"
    )
    for text, is_met in goals(rows):
        print(f"{'met   ' if is_met else 'MISSED'} {text}")
    if given.json:
        figures = [{"name": row.name, "us": row.us, "batches": row.costs, **row.beside} for row in rows]
        given.json.write_text(json.dumps({"python": platform.python_version(), "rows": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
