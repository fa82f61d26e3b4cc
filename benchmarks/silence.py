"""How long the server is silent while something large is done: `/healthz` every 5 ms, beside each of these loads.

    python benchmarks/silence.py                     everything, some minutes
    python benchmarks/silence.py --quick             a tenth of the rows
    python benchmarks/silence.py search array        these only
    python benchmarks/silence.py --where             and where the loop stood still for the longest

README.md beside this file tells what is measured and how.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
import simple_websocket
from server import HERE, ROOT, Recipe, Server, clean_environment, free_port, notiway

GOAL_MS = 50.0
IDLE_SECONDS = 10.0
SETTLE_SECONDS = 0.5
LEAST_SECONDS = 3.0  # a load that is over sooner is done again
FLOOD_SECONDS = 15.0
LOCK_SECONDS = 5.0
WAITERS = 20
ENVELOPES = 1_000
ENVELOPE_BYTES = 14_000
ENTRIES = 8_000
CONSUME_SECONDS = 120.0
PATIENCE_SECONDS = 600.0
LISTENER = "staff"

SERVER = Recipe("Notiway", notiway("silence_app"), is_gunicorn=True)


@dataclass(frozen=True)
class Row:
    """What was measured while one load ran; milliseconds."""

    name: str
    seconds: float
    p50: float
    p99: float
    worst: float
    stop_cpu: float  # the longest stop of the loop, by the CPU time that the process spent in it
    stop_clock: float
    where: tuple[str, ...] = ()  # the longest stops, and where in the code they were


class Site:
    """The running server: what is in it, and how to ask it."""

    def __init__(self, server: Server, made: dict[str, Any], environment: dict[str, str], scale: float) -> None:
        self.server = server
        self.made = made
        self.environment = environment
        self.scale = scale
        self.database = environment["NOTIWAY_DATABASE_URL"].removeprefix("sqlite:///")
        self.sent_id = ""

    def ask(self, method: str, path: str, user: str | None = None, body: bytes | None = None, **headers: str) -> bytes:
        """The body of an answer; `RuntimeError` for one that is no success."""
        if user is not None:
            own = self.made["cookies"][user]
            headers |= {"Cookie": own["cookie"], "X-CSRFToken": own["csrf"]}
        elif body is not None:
            headers |= {"Authorization": f"Bearer {self.made['key']}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE_SECONDS)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}\n{self.server.tail()}")
        return text

    def page(self, path: str, user: str) -> bytes:
        return self.ask("GET", path, user, Accept="text/html")

    def socket(self, path: str, user: str) -> Any:
        headers = [("Cookie", self.made["cookies"][user]["cookie"])]
        return simple_websocket.Client(f"ws://127.0.0.1:{self.server.port}{path}", headers=headers)


def lock(site: Site) -> None:
    """A writer in another process holds SQLite's lock, and twenty requests of this server wait for it."""
    code = (
        "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None);"
        "c.execute('BEGIN IMMEDIATE'); print(flush=True); time.sleep(float(sys.argv[2])); c.execute('ROLLBACK')"
    )
    command = [sys.executable, "-c", code, site.database, str(LOCK_SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with ThreadPoolExecutor(WAITERS) as pool:
            list(pool.map(lambda number: publish_one(site, f"lock-{number}"), range(WAITERS)))


def publish_one(site: Site, key: str) -> None:
    made = envelope(f"{key}-{time.monotonic_ns()}", site.made["ids"][LISTENER])
    site.ask("POST", "/api/notifications", body=json.dumps(made).encode())


def envelope(key: str, user_id: str, padding: int = 0) -> dict[str, Any]:
    body = {"title": "Order shipped", "lines": ["x" * 70] * (padding // 73)}
    routing = {"audienceType": 4, "audienceValue": user_id}
    return {"id": key, "type": "order-shipped", "body": body, "routing": routing, "metadata": {"isPersisted": True}}


def send(site: Site) -> None:
    """`send_notification` to 100,000 users."""
    users = int(100_000 * site.scale)
    site.sent_id = json.loads(site.ask("POST", f"/load/send?users={users}", "staff"))["id"]


def recall(site: Site) -> None:
    """That is taken back from all of them."""
    if not site.sent_id:
        send(site)
    site.ask("POST", f"/load/recall?id={site.sent_id}", "staff")


def staff_log(site: Site) -> None:
    """The staff log: 10 broadcasts, each in 100,000 inboxes."""
    site.page("/staff/send", "staff")


def cleanup(site: Site) -> None:
    """The daily cleanup removes these 1,000,000 inbox rows."""
    site.ask("POST", "/load/cleanup", "staff")


def search(site: Site) -> None:
    """Text search without a hit, over an inbox of 100,000."""
    site.ask("GET", "/notifications?text=nowhere", "hoarder", Accept="application/json")


def sources(site: Site) -> None:
    """The whole history page, with the sources of that inbox to choose from."""
    site.page("/notifications", "hoarder")


def mark_all(site: Site) -> None:
    """Mark all read, 100,000 of them."""
    site.ask("PUT", "/notifications/read-all", "hoarder", Accept="application/json")


def first_pull(site: Site) -> None:
    """The first visit of someone for whom 10,000 broadcasts wait."""
    site.ask("GET", "/notifications/recent", "newcomer", Accept="application/json")


def array(site: Site) -> None:
    """POST of 1,000 envelopes of 14 KB each."""
    key, user_id = time.monotonic_ns(), site.made["ids"][LISTENER]
    many = [envelope(f"array-{key}-{number}", user_id, ENVELOPE_BYTES) for number in range(ENVELOPES)]
    site.ask("POST", "/api/notifications", body=json.dumps(many).encode())


def replay(site: Site) -> None:
    """A SignalR client connects for whom 50,000 broadcasts stand."""
    client = site.socket("/hub", "replayed")
    client.send('{"protocol":"json","version":1}\x1e')
    seen = 0
    while seen < 1_000 * min(1.0, site.scale * 50):
        seen += client.receive(timeout=PATIENCE_SECONDS).count('"type":1')
    client.close()


def flood_socket(site: Site) -> None:
    """One WebSocket client asks for every action without waiting."""
    audience = {"audience": "tenant:acme"}
    actions = [
        {"action": "ping"}, {"action": "markAllAsRead"}, {"action": "unsubscribe", **audience},
        {"action": "subscribe", **audience}, {"action": "markAsRead", "notificationId": "no"}, {"action": "nothing"},
    ]  # fmt: skip
    texts = [json.dumps(each) for each in actions]
    first = json.loads(site.ask("GET", "/notifications/recent", "flooder", Accept="application/json"))
    ids = [each["id"] for each in first["notifications"]]
    for name in ("markAsUnread", "delete", "restore"):
        texts += [json.dumps({"action": name, "notificationId": each}) for each in ids[:5]]
    flood(site.socket("/ws/notifications?format=json", "flooder"), texts)


def flood_hub(site: Site) -> None:
    """One SignalR client calls every method without waiting."""
    client = site.socket("/hub", "hub_flooder")
    client.send('{"protocol":"json","version":1}\x1e')
    tenant = {"audienceType": 2, "audienceValue": "acme"}
    calls = [
        ("Unsubscribe", [tenant]), ("Subscribe", [tenant]), ("MarkAsRead", ["tenant:acme", "no"]),
        ("MarkAsDeleted", ["tenant:acme", "no"]), ("Renew", ["no"]), ("Nothing", []),
    ]  # fmt: skip
    texts = [
        json.dumps({"type": 1, "invocationId": str(number), "target": name, "arguments": given}) + "\x1e"
        for number, (name, given) in enumerate(calls)
    ]
    flood(client, texts)


def flood(client: Any, texts: list[str]) -> None:
    """Send these in turn, as fast as the server reads, and read what comes."""
    until = time.monotonic() + FLOOD_SECONDS

    threading.Thread(target=read_all, args=(client,), daemon=True).start()
    number = 0
    while time.monotonic() < until:
        client.send(texts[number % len(texts)])
        number += 1
    client.close()


def consume(site: Site) -> None:
    """`notiway consume` drains 8,000 entries of a stream beside the web process, and relays what it published."""
    entries, port = int(ENTRIES * max(site.scale, 0.25)), free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
        store = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            filled = fill(redis.Redis(port=port), entries, site.made["ids"][LISTENER])
            drained(site, port, filled)
        finally:
            store.terminate()
            store.wait()


def fill(store: redis.Redis, entries: int, user_id: str) -> redis.Redis:
    deadline = time.monotonic() + 10
    while True:
        try:
            store.ping()
            break
        except redis.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    pipeline = store.pipeline(transaction=False)
    for number in range(entries):
        pipeline.xadd("notiway", {"envelope": json.dumps(envelope(f"entry-{number}", user_id))})
    pipeline.execute()
    store.xgroup_create("notiway", "notiway", id="0")
    return store


def drained(site: Site, port: int, store: redis.Redis) -> None:
    """Until the last entry is acknowledged, and no Event waits in the queue."""
    command = [
        sys.executable,
        "-m",
        "flask",
        "--app",
        "silence_app",
        "notiway",
        "consume",
        f"redis://127.0.0.1:{port}/0",
    ]
    paths = f"{ROOT}{os.pathsep}{HERE / 'peers'}"
    process = subprocess.Popen(
        command, env={**site.environment, "PYTHONPATH": paths}, cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + CONSUME_SECONDS
        while time.monotonic() < deadline:
            group: Any = store.xinfo_groups("notiway")[0]
            if not group["pending"] and not group["lag"]:
                break
            time.sleep(0.2)
        else:
            raise RuntimeError(f"not drained within {CONSUME_SECONDS:g} s")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


# In this order: what one leaves behind is what another needs, and the inbox is searched before it is marked.
LOADS: dict[str, tuple[str, Callable[[Site], None]]] = {
    "lock": ("another process holds the lock for 5 s, 20 writers wait", lock),
    "search": ("text search in an inbox of 100,000, no hit", search),
    "sources": ("history page of that inbox, with its sources", sources),
    "mark-all": ("mark all of that inbox read", mark_all),
    "first-pull": ("first visit, 10,000 broadcasts to pull", first_pull),
    "replay": ("SignalR connect, 50,000 broadcasts stand", replay),
    "array": ("POST of 1,000 envelopes of 14 KB", array),
    "flood": ("one WebSocket client floods every action", flood_socket),
    "flood-hub": ("one SignalR client floods every method", flood_hub),
    "staff-log": ("staff log, 10 broadcasts in 100,000 inboxes", staff_log),
    "cleanup": ("cleanup of 1,000,000 inbox rows", cleanup),
    "send": ("send_notification to 100,000 users", send),
    "recall": ("recall from 100,000 users", recall),
    "consume": ("notiway consume drains 8,000 entries beside it", consume),
}
ONCE = {"lock", "mark-all", "first-pull", "flood", "flood-hub", "cleanup", "send", "recall", "consume"}


def listen(site: Site) -> None:
    """Open pages and clients of the user to whom envelopes go: what is sent is rendered, too."""
    for path in ("/ws/notifications?format=html", "/ws/notifications?format=json", "/hub"):
        client = site.socket(path, LISTENER)
        if path == "/hub":
            client.send('{"protocol":"json","version":1}\x1e')
        threading.Thread(target=read_all, args=(client,), daemon=True).start()


def read_all(client: Any) -> None:
    try:
        while True:
            client.receive()
    except simple_websocket.ConnectionClosed:
        return


class Meter:
    """The pulse beside a load, and the probe in the server's loop."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._pulse = subprocess.Popen(
            [sys.executable, str(HERE / "pulse.py"), str(site.server.port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def measure(self, name: str, work: Callable[[], None]) -> Row:
        self._take()
        self._site.ask("GET", "/probe/begin")
        started = time.monotonic()
        work()
        seconds = time.monotonic() - started
        time.sleep(SETTLE_SECONDS)  # what a silence at the end kept waiting counts, too
        times = self._take()
        stop = json.loads(self._site.ask("GET", "/probe/end"))
        p50, p99 = (sorted(times)[int(len(times) * part)] for part in (0.5, 0.99))
        return Row(name, seconds, p50, p99, max(times), stop["cpu_ms"], stop["clock_ms"], tuple(stop["where"]))

    def close(self) -> None:
        self._pulse.kill()
        self._pulse.wait()

    def _take(self) -> list[float]:
        assert self._pulse.stdin is not None
        assert self._pulse.stdout is not None
        self._pulse.stdin.write("\n")
        self._pulse.stdin.flush()
        return list(json.loads(self._pulse.stdout.readline()))


def repeated(load: Callable[[Site], None], site: Site, *, once: bool) -> None:
    until = time.monotonic() + LEAST_SECONDS
    load(site)
    while not once and time.monotonic() < until:
        load(site)


@contextmanager
def running(scale: float) -> Iterator[Site]:
    """A server with all its rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = clean_environment(
            NOTIWAY_ENV="production",
            NOTIWAY_DATABASE_URL=f"sqlite:///{folder}/notiway.db",
            NOTIWAY_PUBLISH_RATE="1000000 per minute",
            NOTIWAY_USER_RATE="1000000 per minute",
            SECRET_KEY="a secret of the benchmark, long enough",
            PYTHONPATH=str(ROOT),
        )
        command = [sys.executable, str(HERE / "peers" / "silence_app.py"), str(scale)]
        made = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        if made.returncode:
            raise SystemExit(made.stderr)
        server = Server(SERVER, environment, 0, None, folder / "server.log")
        try:
            yield Site(server, json.loads(made.stdout.splitlines()[-1]), environment, scale)
        finally:
            server.close()


def table(rows: list[Row]) -> str:
    """The figures as Markdown."""
    lines = [
        "| while | lasts s | /healthz p50 ms | p99 ms | longest ms | longest stop, CPU ms | by the clock ms |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.name} | {row.seconds:.1f} | {row.p50:.1f} | {row.p99:.1f} | {row.worst:.0f}"
        f" | {row.stop_cpu:.0f} | {row.stop_clock:.0f} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("loads", nargs="*", metavar="LOAD", help=f"of {', '.join(LOADS)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--where", action="store_true", help="where the loop stood still for the longest")
    given = parser.parse_args()
    if unknown := set(given.loads) - set(LOADS):
        parser.error(f"there is no load {', '.join(sorted(unknown))}")
    rows = []
    with running(0.1 if given.quick else 1.0) as site:
        meter = Meter(site)
        try:
            site.page("/notifications", "flooder")  # compiled templates, open connections
            listen(site)
            rows.append(meter.measure("idle, before", lambda: time.sleep(IDLE_SECONDS)))
            for name, (words, load) in LOADS.items():
                if not given.loads or name in given.loads:
                    row = meter.measure(words, lambda load=load, name=name: repeated(load, site, once=name in ONCE))
                    rows.append(row)
                    print(name, *(row.where if given.where else ()), sep="\n  ", file=sys.stderr, flush=True)
            rows.append(meter.measure("idle, after", lambda: time.sleep(IDLE_SECONDS)))
        finally:
            meter.close()
    load = " / ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{os.cpu_count()} cores, load of the machine at the end {load} (1, 5 and 15 minutes)\n")
    print(table(rows))
    late = [row.name for row in rows if row.p99 > GOAL_MS]
    print(f"\n/healthz p99 under {GOAL_MS:g} ms: " + (f"missed in: {'; '.join(late)}" if late else "always"))


if __name__ == "__main__":
    main()
