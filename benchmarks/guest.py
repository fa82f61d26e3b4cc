"""What Notiway adds to a route that has nothing to do with it, and what a line of the access log costs.

    python benchmarks/guest.py                 about a minute
    python benchmarks/guest.py --quick         fewer repeats
    python benchmarks/guest.py --json PATH     the figures for a program as well

README.md beside this file tells what is measured and how.
"""

from __future__ import annotations

import argparse
import json
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from server import HERE, ROOT, clean_environment
from worker import Worker, request_of

KINDS = {"bare": "an application", "mounted": "the same with Notiway", "host": "this repository's application"}
CALLS = 2_000  # in a batch, in-process
REQUESTS = 1_000  # in a batch, through gunicorn
BATCHES = 9
QUICK = (3, 500, 300)
GOAL_US = 30.0
WORKER = (sys.executable, "-m", "gunicorn", "-c", str(HERE / "peers" / "guest_gunicorn.py"), "-b", "127.0.0.1:{port}",
          "--pythonpath", f"{ROOT},{HERE / 'peers'}", "guest_app:app")  # fmt: skip


@dataclass
class Figures:
    """One application; CPU µs of a request, batch by batch."""

    kind: str
    called: list[float] = field(default_factory=list)
    quiet: list[float] = field(default_factory=list)  # through gunicorn, without an access log
    logged: list[float] = field(default_factory=list)  # with one

    def medians(self) -> tuple[float, float, float]:
        called, quiet, logged = (statistics.median(each) for each in (self.called, self.quiet, self.logged))
        return called, quiet, logged

    def over(self, other: Figures, name: str) -> float:
        """What this one takes more, in neighbouring batches: the machine was in the same mood for both."""
        pairs = zip(getattr(self, name), getattr(other, name), strict=True)
        return statistics.median(mine - theirs for mine, theirs in pairs)


class Calls:
    """The application in a process of its own that calls it."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        command = [sys.executable, str(HERE / "peers" / "guest_app.py")]
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                command, env=environment, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=out, text=True
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        if self._out.readline().strip() != "ready":
            raise SystemExit(log.read_text())

    def cost(self, times: int) -> float:
        self._in.write(f"{times}\n")
        self._in.flush()
        return float(self._out.readline())

    def close(self) -> None:
        self._in.close()
        self._process.kill()
        self._process.wait()


@contextmanager
def running() -> Iterator[dict[str, tuple[Calls, Worker, Worker]]]:
    """Of each kind: called in-process, under gunicorn without an access log, and with one."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        started = {}
        for kind in KINDS:
            made = []
            for number, log in enumerate(("off", "off", "on")):
                folder = Path(name) / f"{kind}{number}"
                folder.mkdir()
                environment = clean_environment(
                    GUEST=kind, GUEST_LOG=log, GUEST_SETTINGS=str(ROOT / "gunicorn.conf.py"), NOTIWAY_ENV="production",
                    NOTIWAY_DATABASE_URL=f"sqlite:///{folder}/notiway.db", NOTIWAY_JOBS="off",
                    SECRET_KEY="a secret of the benchmark, of more than 32 bytes",
                    PYTHONPATH=f"{ROOT}:{HERE / 'peers'}",
                )  # fmt: skip
                made.append((environment, folder / "server.log"))
            calls = Calls(*made[0])
            stack.callback(calls.close)
            workers = []
            for environment, log_file in made[1:]:
                workers.append(Worker(WORKER, environment, log_file))
                stack.callback(workers[-1].close)
            started[kind] = (calls, workers[0], workers[1])
        yield started


def measure(batches: int, calls: int, requests: int) -> dict[str, Figures]:
    """All of them take turns, so that a change of the machine's mood meets all."""
    figures = {kind: Figures(kind) for kind in KINDS}
    asked = [request_of("GET", "/plain")] * requests
    with running() as started:
        for number in range(batches + 1):  # the first only warms up
            found = {
                kind: (caller.cost(calls), quiet.cost(asked) * 1e6 / requests, logged.cost(asked) * 1e6 / requests)
                for kind, (caller, quiet, logged) in started.items()
            }
            if number:
                for kind, (called, quiet_us, logged_us) in found.items():
                    figures[kind].called.append(called)
                    figures[kind].quiet.append(quiet_us)
                    figures[kind].logged.append(logged_us)
    return figures


def table(figures: dict[str, Figures]) -> str:
    """The figures as Markdown."""
    lines = [
        "CPU µs of one request for a page that asks nothing.",
        "",
        "| application | WSGI call | through gunicorn, no access log | with an access log |",
        "|---|---|---|---|",
    ]
    for kind, name in KINDS.items():
        called, quiet, logged = figures[kind].medians()
        lines.append(f"| {name} | {called:.0f} | {quiet:.0f} | {logged:.0f} |")
    return "\n".join(lines)


def goals(figures: dict[str, Figures]) -> list[tuple[str, float, bool]]:
    bare, mounted = figures["bare"], figures["mounted"]
    added, through = mounted.over(bare, "called"), mounted.over(bare, "quiet")
    line = statistics.median(on - off for on, off in zip(mounted.logged, mounted.quiet, strict=True))
    usual = statistics.median(on - off for on, off in zip(bare.logged, bare.quiet, strict=True))
    return [
        (f"Notiway adds {added:.0f} µs to a call (at most {GOAL_US:.0f})", added, added <= GOAL_US),
        (f"Notiway adds {through:.0f} µs to a request through gunicorn (its settings included)", through, True),
        (f"a line of the access log takes {line:.0f} µs (at most {GOAL_US:.0f}; as gunicorn writes it: {usual:.0f})",
         line, line <= GOAL_US),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there too")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and so the servers are stopped too
    figures = measure(*(QUICK if given.quick else (BATCHES, CALLS, REQUESTS)))
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}")
    print(table(figures))
    print()
    for text, _, is_met in goals(figures):
        print(f"{'met   ' if is_met else 'MISSED'} {text}")
    if given.json:
        rows = [{"kind": each.kind, "called": each.called, "quiet": each.quiet, "logged": each.logged} for each in
                figures.values()]  # fmt: skip
        added = {text: value for text, value, _ in goals(figures)}
        given.json.write_text(
            json.dumps({"python": platform.python_version(), "rows": rows, "added": added}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
