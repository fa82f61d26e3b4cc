"""Ten minutes of everything: does the server's memory stay flat, and does it give back every file it opened?

    python benchmarks/soak.py                  twelve minutes
    python benchmarks/soak.py --minutes 2
    python benchmarks/soak.py --json PATH      writes the figures there, too

README.md beside this file tells what is measured and how. Ends with 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from server import HERE, ROOT, Recipe, Server, clean_environment, notiway

CLIENTS = 500
USERS = 200
STAY_SECONDS = 20.0  # a client, on average
AWAY_SECONDS = 2.0
READ_SHARE = 0.1  # of the notifications that come, marked as read
FORMATS = ("json", "html")
WARM_UP_SECONDS = 60.0
SAMPLE_SECONDS = 5.0
GROWTH_GOAL = 1.05
TEXT, CLOSE = 0x81, 0x88
PONG = b"\x8a\x80\0\0\0\0"
# What is asked for, how often each second, and by whom.
REQUESTS = {
    "/send/{user}": 20.0,
    "/broadcast": 2.0,
    "/announce": 0.2,
    "/api/notifications": 10.0,
    "/notifications": 2.0,
}
ID = re.compile(rb'^\{"event":"notification","data":\{"id":"([0-9a-f-]{36})"')

APP = HERE / "peers" / "soak_app.py"
SERVER = Recipe("Notiway", notiway("soak_app"), is_gunicorn=True)


class Load:
    """Clients that come and go, and requests beside them."""

    def __init__(self, port: int, users: list[tuple[str, str]]) -> None:
        self.port = port
        self.users = users
        self.seen: Counter[str] = Counter()

    async def run(self, seconds: float) -> None:
        """All of it for so long; then everybody goes."""
        work = [self._visit(number) for number in range(CLIENTS)]
        work += [self._ask(path, rate) for path, rate in REQUESTS.items()]
        tasks = [asyncio.create_task(each) for each in work]
        try:
            done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
            for each in done:
                each.result()
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _visit(self, number: int) -> None:
        await asyncio.sleep(random.uniform(0, AWAY_SECONDS))
        while True:
            stays = random.expovariate(1 / STAY_SECONDS)
            writer = None
            try:
                async with asyncio.timeout(stays):
                    reader, writer = await self._open(number)
                    await self._listen(reader, writer)
            except TimeoutError:
                self.seen["stays"] += 1
            except (OSError, asyncio.IncompleteReadError):
                self.seen["lost"] += 1
            finally:
                if writer is not None:
                    if random.random() < 0.5:
                        writer.write(bytes((CLOSE, 0x80, 0, 0, 0, 0)))
                    writer.close()
            await asyncio.sleep(random.expovariate(1 / AWAY_SECONDS))

    async def _open(self, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            cookie = self.users[number % len(self.users)][1]
            lines = (
                f"GET /ws/notifications?format={FORMATS[number % len(FORMATS)]} HTTP/1.1", "Upgrade: websocket",
                "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
                *self._common(cookie),
            )  # fmt: skip
            writer.write("\r\n".join((*lines, "", "")).encode())
            head = await reader.readuntil(b"\r\n\r\n")
            self.seen["opened" if b" 101 " in head.partition(b"\r\n")[0] else "turned away"] += 1
        except BaseException:
            writer.close()
            raise
        return reader, writer

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            first, size = await reader.readexactly(2)
            if size > 125:
                size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
            data = await reader.readexactly(size)
            self.seen["frames"] += 1
            if first == TEXT and (found := ID.search(data)) and random.random() < READ_SHARE:
                text = json.dumps({"action": "markAsRead", "notificationId": found[1].decode()}).encode()
                writer.write(bytes((TEXT, 0x80 | len(text), 0, 0, 0, 0)) + text)
                self.seen["reads"] += 1
            elif first != TEXT and first != CLOSE:
                writer.write(PONG)
            elif first == CLOSE:
                self.seen["closed"] += 1
                return

    async def _ask(self, path: str, rate: float) -> None:
        while True:
            await asyncio.sleep(random.expovariate(rate))
            user, cookie = random.choice(self.users)
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            lines = (f"GET {path.format(user=user)} HTTP/1.1", "Connection: close", *self._common(cookie))
            writer.write("\r\n".join((*lines, "", "")).encode())
            answer = await reader.read()
            writer.close()
            status = answer.split(b" ", 2)[1].decode()
            if status not in ("200", "204"):
                raise RuntimeError(f"{path} answered {status}: {answer[-500:]!r}")
            self.seen[path] += 1

    def _common(self, cookie: str) -> tuple[str, ...]:
        host = f"127.0.0.1:{self.port}"
        return f"Host: {host}", f"Origin: http://{host}", f"Cookie: {cookie}", "User-Agent: soak"


def anonymous_kib(pid: int) -> int:
    """Memory that is no file's: pages of the database that are mapped come and go with its size."""
    found = re.search(r"^RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def sampled(work: Awaitable[None], look: Callable[[], int]) -> list[int]:
    """What `look` finds every few seconds while the work lasts."""
    samples: list[int] = []

    async def watch() -> None:
        while True:
            await asyncio.sleep(SAMPLE_SECONDS)
            samples.append(look())

    watcher = asyncio.create_task(watch())
    try:
        await work
    finally:
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher
    return samples


def settled(server: Server) -> int:
    """How many files are open when what has gone was noticed."""
    server.cpu_seconds()
    deadline = time.monotonic() + 30
    least = open_files(server.pid)
    while time.monotonic() < deadline and least > 0:
        time.sleep(1)
        now = open_files(server.pid)
        if now >= least:
            break
        least = now
    return least


def soak(minutes: float) -> dict[str, Any]:
    """Warm up, let everybody go, then the same for so long."""
    with tempfile.TemporaryDirectory() as name:
        environment = clean_environment(
            BENCHMARK_PAYLOAD="600",
            NOTIWAY_ENV="production",
            NOTIWAY_DATABASE_URL=f"sqlite:///{name}/notiway.db",
            SECRET_KEY="a secret of the benchmark, of more than 32 bytes",
            PYTHONPATH=str(ROOT),
        )
        command = [sys.executable, str(APP), str(USERS)]
        made = subprocess.run(command, env=environment, cwd=HERE, stdout=subprocess.PIPE, text=True, check=True)
        users = [(first, rest) for first, _, rest in (line.partition(" ") for line in made.stdout.splitlines())]
        server = Server(SERVER, environment, 0, None, Path(name) / "log")
        try:
            load = Load(server.port, users)
            asyncio.run(load.run(WARM_UP_SECONDS))
            files = settled(server)
            before = server.cpu_seconds()
            samples = asyncio.run(sampled(load.run(minutes * 60), lambda: anonymous_kib(server.pid)))
            used = server.cpu_seconds() - before
            part = max(1, len(samples) // 5)
            first, last = statistics.median(samples[:part]), statistics.median(samples[-part:])
            return {
                "minutes": minutes,
                "memory_kib": {"first_fifth": first, "last_fifth": last, "growth": last / first, "samples": samples},
                "files": {"before": files, "after": settled(server)},
                "cpu_percent": used / (minutes * 60) * 100,
                "counts": dict(load.seen),
            }
        except BaseException:
            print(server.tail(), file=sys.stderr)
            raise
        finally:
            server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = soak(given.minutes)
    memory, files = found["memory_kib"], found["files"]
    print(f"| {'memory, first fifth':24} | {memory['first_fifth'] / 1024:.1f} MB |\n|---|---|")
    print(f"| {'memory, last fifth':24} | {memory['last_fifth'] / 1024:.1f} MB |")
    print(f"| {'open files before, after':24} | {files['before']}, {files['after']} |")
    print(f"| {'CPU':24} | {found['cpu_percent']:.0f} % of a core |")
    for what, count in sorted(found["counts"].items()):
        print(f"| {what:24} | {count:,} |")
    goals = {
        f"memory grew {memory['growth']:.3f} times (at most {GROWTH_GOAL})": memory["growth"] <= GROWTH_GOAL,
        f"{files['after'] - files['before']} files more are open than before (none)": files["after"] <= files["before"],
    }
    print()
    for text, is_met in goals.items():
        print(f"{'met   ' if is_met else 'MISSED'} {text}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2))
    sys.exit(not all(goals.values()))


if __name__ == "__main__":
    main()
