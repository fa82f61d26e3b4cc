"""What Redis and PostgreSQL carry: CPU for each message, stored send and idle connection, memory for each channel.

    python benchmarks/carried.py               about three minutes
    python benchmarks/carried.py --quick       fewer repeats
    python benchmarks/carried.py --json PATH   the figures for a program as well

README.md beside this file tells what is measured and how; capacity.py computes with the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import redis
from fanout import NOTIWAY
from publish import LISTENING, Site
from server import HERE, ROOT, Server, clean_environment, free_port, process_cpu, settled_cpu
from worker import Listeners

sys.path += [str(ROOT), str(ROOT / "tests")]  # the tests know how to start a PostgreSQL
from postgres import Postgres, postgres_server

from notiway.live.shared import scripts
from notiway.live.shared.node import this_process

EVENT_BYTES = 700  # an Event of a notification with 400 bytes of text
SUBSCRIBERS = (0, 1, 2, 10, 100)  # processes that hear a channel
PUBLISHED = 5_000
CHANNELS = 100_000
NODES = (1, 10, 100, 200)  # processes that are alive
BEATS = 500
BATCHES, SINGLES, ENVELOPES = 3, 400, 4_000
ARRAY = 100
IDLE_CLIENTS, IDLE_SECONDS = 1_000, 30.0  # two heartbeats
QUICK = (2, 100, 1_000, 16.0)
READ_BYTES = 1 << 20
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}
TICKS = os.sysconf("SC_CLK_TCK")
PARTS = ("publish", "channel", "beat", "stored", "idle")
CONFIRMED = b"$9\r\nsubscribe\r\n"
SECRET = "a secret of the benchmark, of more than 32 bytes"


@dataclass
class Redis:
    """A Redis of our own, and what it has used."""

    process: subprocess.Popen[bytes]
    port: int
    client: Any

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def cpu(self) -> float:
        return process_cpu(self.process.pid)

    def settled(self) -> float:
        return settled_cpu(self.process.pid)

    def calls(self) -> Counter[str]:
        """How often each command was called."""
        told = self.client.info("commandstats")
        return Counter({name.removeprefix("cmdstat_"): each["calls"] for name, each in told.items()})

    def memory(self) -> int:
        return int(self.client.info("memory")["used_memory"])


@contextmanager
def redis_of_our_own(folder: Path) -> Iterator[Redis]:
    program, port = shutil.which("redis-server"), free_port()
    if program is None:
        raise SystemExit("redis-server is needed")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    made = Redis(subprocess.Popen(command, stdout=subprocess.DEVNULL), port, redis.Redis(port=port, protocol=2))
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                made.client.ping()
                break
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        yield made
    finally:
        made.process.terminate()
        made.process.wait()


def _subscribe(names: Sequence[str]) -> bytes:
    words = ["SUBSCRIBE", *names]
    return f"*{len(words)}\r\n".encode() + b"".join(f"${len(each)}\r\n{each}\r\n".encode() for each in words)


class Subscribers:
    """Connections that hear channels and throw away what they are told; read in a thread."""

    def __init__(self, port: int, count: int, *channels: str) -> None:
        self.bytes = 0
        self._ends = False
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        asked = b"".join(map(_subscribe, (channels[start : start + 500] for start in range(0, len(channels), 500))))
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", port), 30)
            sender = threading.Thread(target=client.sendall, args=(asked,))
            sender.start()
            told = b""
            confirmed = 0
            while confirmed < len(channels):
                told = told[1 - len(CONFIRMED) :] + client.recv(READ_BYTES)  # what was cut in two counts, too
                confirmed += told.count(CONFIRMED)
            sender.join()
            self._sockets[client.fileno()] = client
            self._poll.register(client.fileno(), select.EPOLLIN)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._ends:
            for number, _ in self._poll.poll(0.05):
                self.bytes += len(self._sockets[number].recv(READ_BYTES))

    def wait_for(self, size: int) -> None:
        deadline = time.monotonic() + 60
        while self.bytes < size:
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.bytes} of {size} bytes were heard")
            time.sleep(0.005)

    def close(self) -> None:
        self._ends = True
        self._thread.join()
        for each in self._sockets.values():
            each.close()


def publishing(on: Redis, batches: int) -> dict[str, float]:
    """CPU µs of Redis for a PUBLISH of its own round trip, by how many hear it."""
    channel, payload = "notiway:0:user:somebody", b"x" * EVENT_BYTES
    found = {}
    for count in SUBSCRIBERS:
        published = PUBLISHED if count < SUBSCRIBERS[-1] else PUBLISHED // 10
        frame = len(f"*3\r\n$7\r\nmessage\r\n${len(channel)}\r\n{channel}\r\n${EVENT_BYTES}\r\n\r\n") + EVENT_BYTES
        hearers = Subscribers(on.port, count, channel)
        try:
            costs = []
            for number in range(batches + 1):
                due = hearers.bytes + frame * count * published
                before = on.settled()
                for _ in range(published):
                    on.client.publish(channel, payload)
                hearers.wait_for(due)
                if number:
                    costs.append((on.settled() - before) * 1e6 / published)
        finally:
            hearers.close()
        found[str(count)] = statistics.median(costs)
    return found


def channels(on: Redis) -> dict[str, float]:
    """Bytes of Redis, and CPU µs, for each channel that one process subscribes to."""
    names = [f"notiway:0:user:{number:032x}" for number in range(CHANNELS)]
    memory, used = on.memory(), on.settled()
    hearer = Subscribers(on.port, 1, *names)
    try:
        return {
            "bytes": (on.memory() - memory) / CHANNELS,
            "subscribe_us": (on.settled() - used) * 1e6 / CHANNELS,
        }
    finally:
        hearer.close()


def beats(on: Redis, batches: int) -> dict[str, float]:
    """CPU µs of Redis for a sign of life, by how many processes there are: each is told of all others."""
    beat = on.client.register_script(scripts.BEAT)
    found = {}
    for count in NODES:
        on.client.flushall()
        lives = [this_process(f"node-{number}", connections=10_000).to_text() for number in range(count)]
        costs = []
        for number in range(batches + 1):
            before = on.settled()
            for turn in range(max(BEATS, count)):
                who = turn % count
                beat(args=[f"node-{who}", 60_000, lives[who], 60_000, 1_000])
            if number:
                costs.append((on.settled() - before) * 1e6 / max(BEATS, count))
        found[str(count)] = statistics.median(costs)
    on.client.flushall()
    return found


def _cpu_of(pid: int) -> float:
    try:
        return process_cpu(pid)
    except OSError:  # it has ended meanwhile
        return 0.0


def _serves(pid: int) -> bool:
    try:
        return b"127.0.0.1(" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


class Used:
    """What the processes of a PostgreSQL have used since they began."""

    def __init__(self, server: Postgres, url: str) -> None:
        assert server.process is not None
        # setpriv becomes the server, and keeps its number.
        self._pid = server.process.pid
        self._asked = psycopg.connect(url, autocommit=True)
        self._own = self._asked.info.backend_pid

    def cpu(self) -> float:
        """Seconds of all but the one that is asked here; those that have ended count to 1/100 s."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        ended = (int(fields[13]) + int(fields[14])) / TICKS
        children = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split()
        return ended + sum(_cpu_of(int(pid)) for pid in [self._pid, *children] if int(pid) != self._own)

    def connections(self) -> dict[int, float]:
        """Seconds of each process that serves a connection, without those that tidy up behind them."""
        children = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split()
        serve = [int(pid) for pid in children if _serves(int(pid)) and int(pid) != self._own]
        return {pid: _cpu_of(pid) for pid in serve}

    def wal(self) -> int:
        """Bytes of its log so far."""
        row = self._asked.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
        assert row is not None
        return int(row[0])

    def tables(self) -> int:
        """Bytes of all tables and indexes."""
        row = self._asked.execute(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = "
            "'public'::regnamespace"
        ).fetchone()
        assert row is not None
        return int(row[0])

    def close(self) -> None:
        self._asked.close()


def stored(site: Site, on: Redis, used: Used, batches: int, singles: int, envelopes: int) -> dict[str, Any]:
    """For each stored envelope: CPU µs of the worker, Redis and PostgreSQL, commands of Redis, bytes of the log.

    Some of the users listen, with one connection each. Envelopes for the others, and for them (`heard`), take turns.
    """
    api = "/api/notifications"
    rows: dict[str, list[dict[str, float]]] = {}

    def envelope(is_heard: bool) -> dict[str, Any]:
        made = site.envelope()
        users = site.users[:LISTENING] if is_heard else site.users[LISTENING:]
        made["routing"]["audienceValue"] = users[int(made["id"].rpartition("-")[2]) % len(users)]
        return made

    def run(name: str, requests: list[bytes], count: int) -> None:
        redis_before, database_before, wal, calls = on.settled(), used.cpu(), used.wal(), on.calls()
        worker = site.worker.cost(requests)
        made = on.calls() - calls
        row = {
            "worker_us": worker * 1e6 / count,
            "redis_us": (on.settled() - redis_before) * 1e6 / count,
            "postgresql_us": (used.cpu() - database_before) * 1e6 / count,
            "wal_bytes": (used.wal() - wal) / count,
        }
        often = {f"calls {each}": times / count for each, times in made.items() if times >= count / 200}
        rows.setdefault(name, []).append(row | often)

    before = used.tables()
    listeners = Listeners(site.worker.port, site.tokens())
    try:
        for _ in range(batches + 1):
            for suffix, is_heard in (("", False), (", heard", True)):
                ones = [site.post(api, envelope(is_heard)) for _ in range(singles)]
                run(f"one at a time{suffix}", ones, singles)
                lists = [[envelope(is_heard) for _ in range(ARRAY)] for _ in range(envelopes // ARRAY)]
                run(f"array of {ARRAY}{suffix}", [site.post(api, each) for each in lists], envelopes)
        due = (batches + 1) * (singles + envelopes // ARRAY * ARRAY)
        heard = listeners.wait_for(due) / due
    finally:
        listeners.close()
    found: dict[str, Any] = {
        name: {key: statistics.median(row.get(key, 0.0) for row in each[1:]) for key in each[-1]}
        for name, each in rows.items()  # without the first, which warmed up
    }
    return found | {"table_bytes": (used.tables() - before) / (2 * due), "heard": heard}


def idle(folder: Path, on: Redis, server: Postgres, seconds: float) -> dict[str, float]:
    """CPU µs a second for each connection that does nothing, of a worker, Redis and PostgreSQL; KB of the worker."""
    url = server.empty()
    environment = clean_environment(
        BENCHMARK_PAYLOAD="600", NOTIWAY_ENV="production", NOTIWAY_DATABASE_URL=url, NOTIWAY_BROKER_URL=on.url,
        NOTIWAY_JOBS_URL=f"sqlite:///{folder}/idle-jobs.db", SECRET_KEY=SECRET, PYTHONPATH=str(ROOT),
    )  # fmt: skip
    command = [sys.executable, str(HERE / "peers" / "notiway_app.py"), str(IDLE_CLIENTS)]
    made = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if made.returncode:
        raise SystemExit(made.stderr)
    cookies = folder / "cookies"
    cookies.write_text(made.stdout)
    used = Used(server, url)
    running = Server(NOTIWAY, environment, 600, cookies, folder / "idle.log")
    try:
        time.sleep(5)

        def now() -> tuple[float, float, dict[int, float]]:
            return running.cpu_now(), on.cpu(), used.connections()

        def since(before: tuple[float, float, dict[int, float]]) -> tuple[float, float, float]:
            after = now()
            served = sum(value - before[2].get(pid, 0.0) for pid, value in after[2].items())
            return after[0] - before[0], after[1] - before[1], served

        def look() -> tuple[float, ...]:
            before = now()
            time.sleep(seconds)
            return tuple(each / seconds for each in since(before))

        nobody, memory = look(), on.memory()
        kib = running.own_kib()
        before = now()
        running.ask(do="connect", to=IDLE_CLIENTS)
        time.sleep(3)
        connecting = since(before)
        kib = running.own_kib() - kib
        everybody = look()
        names = ("worker", "redis", "postgresql")
        each = {
            f"{name}_us_a_second": (with_all - with_none) * 1e6 / IDLE_CLIENTS
            for name, with_all, with_none in zip(names, everybody, nobody, strict=True)
        }
        connects = {
            f"{name}_us_a_connect": value * 1e6 / IDLE_CLIENTS for name, value in zip(names, connecting, strict=True)
        }
        alone = {f"{name}_us_a_second_of_a_process": value * 1e6 for name, value in zip(names, nobody, strict=True)}
        rest = {"worker_kb": kib / IDLE_CLIENTS, "redis_bytes": (on.memory() - memory) / IDLE_CLIENTS}
        return each | connects | alone | rest
    finally:
        running.close()
        used.close()


def served(
    folder: Path, on: Redis, server: Postgres, measure: Callable[[Site, Redis, Used], dict[str, Any]]
) -> dict[str, Any]:
    """What is measured with the real server on a new database."""
    url, jobs = server.empty(), f"sqlite:///{folder}/jobs.db"
    site = Site(folder, NOTIWAY_DATABASE_URL=url, NOTIWAY_BROKER_URL=on.url, NOTIWAY_JOBS_URL=jobs)
    used = Used(server, url)
    try:
        return measure(site, on, used)
    finally:
        used.close()
        site.worker.close()


def printed(found: dict[str, Any]) -> str:
    """The figures as text."""
    lines = [f"| PUBLISH of {EVENT_BYTES} bytes, heard by | Redis, CPU µs |", "|---|---|"]
    lines += [f"| {count} | {us:.1f} |" for count, us in found["publish"].items()]
    lines += [
        "",
        "A channel: {bytes:.0f} bytes of Redis, {subscribe_us:.1f} µs to subscribe.".format(**found["channel"]),
    ]
    lines += [
        "",
        "| stored envelopes | worker µs | Redis µs | PostgreSQL µs | log bytes | commands of Redis for each |",
    ]
    lines += ["|---|---|---|---|---|---|"]
    for name, row in found["stored"].items():
        if isinstance(row, dict):
            calls = ", ".join(
                f"{re.sub('^calls ', '', key)} {value:.2f}" for key, value in row.items() if key.startswith("calls ")
            )
            lines.append(
                f"| {name} | {row['worker_us']:.0f} | {row['redis_us']:.0f} | {row['postgresql_us']:.0f}"
                f" | {row['wal_bytes']:.0f} | {calls} |"
            )
    lines += ["", f"Tables and indexes grow by {found['stored']['table_bytes']:.0f} bytes for each."]
    lines += ["", f"Idle, {IDLE_CLIENTS:,} connections of as many users:"]
    lines += [f"    {name} {value:.2f}" for name, value in found["idle"].items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there too")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these; the others are taken from --json")
    given = parser.parse_args()
    if given.only and not given.json:
        parser.error("--only needs --json")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and so the servers are stopped too
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    batches, singles, envelopes, seconds = QUICK if given.quick else (BATCHES, SINGLES, ENVELOPES, IDLE_SECONDS)
    found: dict[str, Any] = json.loads(given.json.read_text()) if given.only else {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        on = stack.enter_context(redis_of_our_own(folder))
        server = stack.enter_context(postgres_server(**DURABLE))
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "publish": lambda: publishing(on, batches),
            "channel": lambda: channels(on),
            "beat": lambda: beats(on, batches),
            "stored": lambda: served(folder, on, server, lambda *at: stored(*at, batches, singles, envelopes)),
            "idle": lambda: idle(folder, on, server, seconds),
        }
        for name in given.only or parts:
            found[name] = parts[name]()
            on.client.flushall()
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}")
    print(printed(found))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")
    if found["stored"]["heard"] != 1:
        raise SystemExit(f"{found['stored']['heard']:.1%} of what is for listeners was heard")


if __name__ == "__main__":
    main()
