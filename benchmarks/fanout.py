"""What a delivery, a connection and a connect cost: Notiway beside naive flask-sock loops and a bare send() loop.

    python benchmarks/fanout.py            1,000, 5,000 and 10,000 connections, about three minutes
    python benchmarks/fanout.py --quick    1,000 connections, fewer repeats
    python benchmarks/fanout.py --stored   stored and unstored broadcasts beside a C send() loop, a connection each
    python benchmarks/fanout.py --stored --json PATH    writes the figures there, too

README.md beside this file tells what is measured and how.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from others import FLOOR, compile_floor
from server import GUNICORN, HERE, ROOT, Recipe, Server, clean_environment, notiway

PAYLOAD = 600  # bytes of text in a broadcast
WARM_UP = 1_000  # connections opened first; they stay, and are not counted
WARM_UP_ROUNDS = 20
BATCHES = 5  # of each figure; the median counts
DELIVERIES = 30_000  # per batch, about
QUICK_DELIVERIES = 10_000
PER_USER = 20  # connections of one user; the product's own limit is 50
STAGES = (1_000, 5_000, 10_000)
FILES_BESIDE = WARM_UP + 500  # open files that are no clients


def naive(name: str, module: str, *, greets: bool = False) -> Recipe:
    """One of the two loops under gunicorn's gevent worker, as gunicorn comes."""
    server = ("-k", "gevent", "--worker-connections", "20000", "--no-control-socket", "-b", "127.0.0.1:{port}")
    paths = f"{ROOT},{HERE / 'peers'}"
    return Recipe(name, (*GUNICORN, *server, "--pythonpath", paths, f"{module}:app"), is_gunicorn=True, greets=greets)


NAIVE = naive("naive flask-sock loop, nobody signs in", "naive_flask_sock")
NAIVE_SIGNED_IN = naive("naive flask-sock loop, signed in", "naive_signed_in", greets=True)
BARE = Recipe("bare send() loop", (sys.executable, str(HERE / "peers" / "bare_send.py"), "{port}", "{payload}"))
NOTIWAY = Recipe("Notiway, signed in", notiway("notiway_app"), is_gunicorn=True, greets=True)
RECIPES = (NOTIWAY, NAIVE_SIGNED_IN, NAIVE, BARE)

STORED = replace(NOTIWAY, name="Notiway, stored")

DELIVERY_GOAL = 1.5  # times the bare loop
UNSTORED_GOAL = 1.3  # times the C loop
WIRE_GOAL = 1.3  # of a stored broadcast, until everybody has it
SETTLED_GOAL = 2.0  # of the same, with all that follows
SETTLED_SECONDS = 3.0  # after which rows and counts are settled, or have begun to be
BEAT_SECONDS = 3_600  # heartbeats are no part of this; benchmarks of idle connections measure them
ROUNDS_TOGETHER = 10  # broadcasts one after the other, in about a second
MEMORY_GOAL = 2.0  # KB per connection


@dataclass
class Figures:
    """What was measured at one number of connections."""

    connect_ms: float
    kb: float
    delivery_us: list[float] = field(default_factory=list)

    @property
    def us(self) -> float:
        return statistics.median(self.delivery_us)


@dataclass
class Result:
    """One server's figures, by number of connections."""

    server: Server
    start_kib: int = 0
    opened: int = WARM_UP
    expected: int = 0
    delivered: int = 0
    stages: dict[int, Figures] = field(default_factory=dict)

    def warm_up(self) -> None:
        """Steady arenas, compiled templates, open database connections."""
        self.server.ask(do="connect", to=WARM_UP)
        self.server.cpu_seconds()  # a server may answer the handshake before it counts the client in
        self.broadcast(WARM_UP_ROUNDS)
        self.server.cpu_seconds()
        self.start_kib = self.server.resident_kib()

    def grow(self, to: int) -> None:
        """Open connections until there are so many beside those of the warm-up, and see what that took."""
        new = WARM_UP + to - self.opened
        before = self.server.cpu_seconds()
        self.server.ask(do="connect", to=WARM_UP + to)
        used = self.server.cpu_seconds() - before
        grown_kib = self.server.resident_kib() - self.start_kib
        self.stages[to] = Figures(used * 1e3 / new, grown_kib / to)
        self.opened += new

    def batch(self, rounds: int) -> None:
        """Broadcast some times, and see what one delivery took."""
        before = self.server.cpu_seconds()
        frames = self.broadcast(rounds)
        used = self.server.cpu_seconds() - before
        self.stages[self.opened - WARM_UP].delivery_us.append(used * 1e6 / frames)

    def broadcast(self, rounds: int) -> int:
        frames = int(self.server.ask(do="broadcast", rounds=rounds)["frames"])
        self.expected += rounds * self.opened
        self.delivered += frames
        return frames


def measure(results: list[Result], stages: tuple[int, ...], deliveries: int) -> None:
    """All servers take turns, so that a change of the machine's mood meets all of them."""
    for result in results:
        result.warm_up()
    for stage in stages:
        for result in results:
            result.grow(stage)
        for _ in range(BATCHES):
            for result in results:
                result.batch(max(1, deliveries // stage))


@contextmanager
def running(recipes: tuple[Recipe, ...], most: int, per_user: int = PER_USER) -> Iterator[list[Result]]:
    """All servers, each with a crowd of its own."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        environment = clean_environment(
            BENCHMARK_PAYLOAD=str(PAYLOAD),
            NOTIWAY_ENV="production",
            NOTIWAY_HEARTBEAT_SECONDS=os.environ.get("BENCHMARK_BEAT", "15"),
            NOTIWAY_DATABASE_URL=f"sqlite:///{folder}/notiway.db",
            SECRET_KEY="a secret of the benchmark, of more than 32 bytes",
            PYTHONPATH=str(ROOT),
        )
        cookies = folder / "cookies"
        command = [sys.executable, str(HERE / "peers" / "notiway_app.py"), str(math.ceil((WARM_UP + most) / per_user))]
        made = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        if made.returncode:
            raise SystemExit(made.stderr)
        cookies.write_text(made.stdout)
        results = []
        for number, recipe in enumerate(recipes):
            if recipe is STORED:  # a database of its own: only one process may serve one
                for file in folder.glob("notiway.db*"):
                    shutil.copy(file, folder / f"stored-{file.name}")
                own = {"BENCHMARK_STORED": "yes", "NOTIWAY_DATABASE_URL": f"sqlite:///{folder}/stored-notiway.db"}
                environment |= own
            signed_in = cookies if recipe.greets else None
            server = Server(recipe, environment, PAYLOAD, signed_in, folder / f"{number}.log")
            stack.callback(server.close)
            results.append(Result(server))
        yield results


def table(results: list[Result], stages: tuple[int, ...]) -> str:
    """The figures as Markdown."""
    sizes = " / ".join(f"{stage:,}" for stage in stages)
    lines = [
        f"Connections: {sizes}. CPU is user + system time of the server's process. {PAYLOAD}-byte text frames.",
        "",
        "| server | CPU µs / delivery | KB / connection | CPU ms / connect | deliveries |",
        "|---|---|---|---|---|",
    ]
    for result in results:
        figures = list(result.stages.values())
        lines.append(
            f"| {result.server.recipe.name} | {' / '.join(f'{each.us:.1f}' for each in figures)}"
            f" | {' / '.join(f'{each.kb:.1f}' for each in figures)}"
            f" | {' / '.join(f'{each.connect_ms:.2f}' for each in figures)}"
            f" | {result.delivered:,} of {result.expected:,} |"
        )
    return "\n".join(lines)


def goals(results: list[Result], stages: tuple[int, ...]) -> list[tuple[str, bool]]:
    """What must hold at each size."""
    notiway, naive_signed_in, naive, bare = (result.stages for result in results)
    judged = []
    for stage in stages:
        ratio = notiway[stage].us / bare[stage].us
        judged += [
            (f"{stage:,}: {ratio:.2f} times the bare loop's CPU per delivery (at most {DELIVERY_GOAL})",
             ratio <= DELIVERY_GOAL),
            (f"{stage:,}: {notiway[stage].kb:.1f} KB per connection (at most {MEMORY_GOAL})",
             notiway[stage].kb <= MEMORY_GOAL),
            (f"{stage:,}: {notiway[stage].connect_ms:.2f} ms CPU per connect"
             f" (below {naive_signed_in[stage].connect_ms:.2f}, the naive loop that signs in)",
             notiway[stage].connect_ms < naive_signed_in[stage].connect_ms),
            (f"{stage:,}: {notiway[stage].connect_ms:.2f} ms CPU per connect"
             f" (below {naive[stage].connect_ms:.2f}, the naive loop where nobody signs in)",
             notiway[stage].connect_ms < naive[stage].connect_ms),
        ]  # fmt: skip
    return judged


@dataclass
class Costs:
    """CPU of a delivery, in µs: until everybody has read it, and with what follows; alone, and of several in a row."""

    wire: list[float] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)
    together: list[float] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Measure each once more."""
        server, count = result.server, result.opened
        before = server.cpu_seconds()
        time.sleep(SETTLED_SECONDS)
        begins = server.cpu_now()
        idle = begins - before
        result.broadcast(1)
        self.wire.append((server.cpu_now() - begins) * 1e6 / count)
        time.sleep(SETTLED_SECONDS)
        after = server.cpu_seconds()
        self.settled.append((after - begins - idle) * 1e6 / count)
        result.broadcast(ROUNDS_TOGETHER)
        time.sleep(SETTLED_SECONDS)
        self.together.append((server.cpu_seconds() - after - idle) * 1e6 / count / ROUNDS_TOGETHER)

    def medians(self) -> tuple[float, float, float]:
        return statistics.median(self.wire), statistics.median(self.settled), statistics.median(self.together)


def compare_stored(most: int, path: Path | None) -> None:
    """Stored and unstored broadcasts beside the C loop: the table, and the goals."""
    compile_floor()
    os.environ["BENCHMARK_BEAT"] = str(BEAT_SECONDS)
    with running((FLOOR, NOTIWAY, STORED), most, per_user=1) as results:
        costs = [Costs() for _ in results]
        for result in results:
            result.server.ask(do="connect", to=most)
            result.opened = most
            result.broadcast(WARM_UP_ROUNDS)
        for _ in range(BATCHES):
            for result, cost in zip(results, costs, strict=True):
                cost.add(result)
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}")
    print(
        f"{most:,} connections of as many users. CPU µs of a delivery, and times the C loop. {PAYLOAD}-byte frames.\n"
    )
    print(f"| server | until all have it | and until it rests | {ROUNDS_TOGETHER} in a row, until it rests |")
    print("|---|---|---|---|")
    floor = costs[0].medians()
    for result, cost in zip(results, costs, strict=True):
        cells = " | ".join(f"{own:.1f} ({own / base:.2f}x)" for own, base in zip(cost.medians(), floor, strict=True))
        print(f"| {result.server.recipe.name} | {cells} |")
    wire, settled, together = (own / base for own, base in zip(costs[2].medians(), floor, strict=True))
    unstored = costs[1].medians()[2] / floor[2]
    print()
    for text, ratio, goal in (
        ("unstored, in a row", unstored, UNSTORED_GOAL),
        ("stored, until all have it", wire, WIRE_GOAL),
        ("stored, settled, in a row", together, SETTLED_GOAL),
        ("stored, settled, alone", settled, SETTLED_GOAL),
    ):
        print(f"{'met   ' if ratio <= goal else 'MISSED'} {text}: {ratio:.2f} times the C loop (at most {goal})")
    if path:
        named = {result.server.recipe.name: vars(cost) for result, cost in zip(results, costs, strict=True)}
        path.write_text(json.dumps({"connections": most, "cpu_us": named}, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1,000 connections only, with fewer repeats")
    parser.add_argument("--stored", action="store_true", help="stored and unstored broadcasts beside a C loop")
    parser.add_argument("--json", type=Path, help="a file for the figures of --stored")
    given = parser.parse_args()
    stages = STAGES[:1] if given.quick else STAGES
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < stages[-1] + FILES_BESIDE:
        raise SystemExit(f"{stages[-1]:,} connections need that many open files, and {hard:,} are allowed (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and so the servers are stopped too
    if given.stored:
        compare_stored(int(os.environ.get("MOST", stages[-1])), given.json)
        return
    with running(RECIPES, stages[-1]) as results:
        measure(results, stages, QUICK_DELIVERIES if given.quick else DELIVERIES)
        print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}")
        print(table(results, stages))
        print()
        for text, is_met in goals(results, stages):
            print(f"{'met   ' if is_met else 'MISSED'} {text}")


if __name__ == "__main__":
    main()
