"""Sends to single users over HTTP: how many, how soon they arrive, and what happens when there are too many.

    python benchmarks/unicast.py                 about two minutes
    python benchmarks/unicast.py --seconds 20    shorter phases
    python benchmarks/unicast.py --in-process    only send_notification() from Python, stored and delivered
    python benchmarks/unicast.py --json PATH     writes the figures there, too

README.md beside this file tells what is measured and how.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from server import HERE, ROOT, Recipe, Server, clean_environment, notiway

USERS = 200
PUBLISHERS = 8
MANY_PUBLISHERS = 256  # more than a server can serve at once: only so can more come than it takes
MOST_SECONDS = 15.0
SHARE = 0.7
GOAL_MS = 50.0
GROWTH = 2.0  # times the first quarter's median
IN_PROCESS = 1_000  # sends in a batch
IN_PROCESS_GOAL_US = 250.0

APP = HERE / "peers" / "unicast_app.py"
SERVER = Recipe("Notiway", notiway("unicast_app"), is_gunicorn=True)


@contextmanager
def environment() -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder with a database, and the settings of a gateway in production."""
    with tempfile.TemporaryDirectory() as name:
        yield (
            Path(name),
            clean_environment(
                NOTIWAY_ENV="production",
                NOTIWAY_USERS="external",
                NOTIWAY_PUBLISH_RATE="100000000 per minute",
                NOTIWAY_DATABASE_URL=f"sqlite:///{name}/notiway.db",
                SECRET_KEY="a secret of the benchmark, of more than 32 bytes",
                PYTHONPATH=str(ROOT),
            ),
        )


def run(command: list[str], given: dict[str, str]) -> str:
    done = subprocess.run(command, env=given, cwd=HERE, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command} failed")
    return done.stdout


def in_process() -> dict[str, float]:
    """CPU in µs of one send from Python to one user."""
    with environment() as (_, given):
        return dict(json.loads(run([sys.executable, str(APP), "send", str(IN_PROCESS)], given)))


def over_http(seconds: float) -> dict[str, dict[str, Any]]:
    """The three phases: as fast as answered, at 70 % of that, and at twice that."""
    phases: dict[str, dict[str, Any]] = {}
    with environment() as (folder, given):
        keys = folder / "keys"
        keys.write_text(run([sys.executable, str(APP), "prepare", str(USERS)], given))
        server = Server(SERVER, given, 0, None, folder / "log")
        load = subprocess.Popen(
            [sys.executable, str(HERE / "publishers.py"), str(server.port), str(keys)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            _answer(load, server)

            def phase(name: str, length: float, publishers: int, rate: float, is_steady: bool = True) -> None:
                before = server.cpu_seconds()
                assert load.stdin is not None
                order = {
                    "do": "publish",
                    "seconds": length,
                    "publishers": publishers,
                    "rate": rate,
                    "is_steady": is_steady,
                }
                load.stdin.write(json.dumps(order) + "\n")
                load.stdin.flush()
                found = _answer(load, server)
                sent = sum(each["sent"] for each in found["windows"])
                used = (server.cpu_seconds() - before) * 1e6 / max(sent, 1)
                phases[name] = {**found, "offered": rate, "rate": sent / length, "cpu_us": used}
                print(table(name, phases[name]), flush=True)

            phase("as fast as answered", min(MOST_SECONDS, seconds), PUBLISHERS, 0)
            most = phases["as fast as answered"]["rate"]
            phase(f"{SHARE:.0%} of that", seconds, PUBLISHERS, SHARE * most)
            phase("twice that", seconds / 2, MANY_PUBLISHERS, 2 * most, is_steady=False)
            phase("and again", min(MOST_SECONDS, seconds), PUBLISHERS, SHARE * most)
        finally:
            load.kill()
            load.wait()
            server.close()
    return phases


def _answer(load: subprocess.Popen[str], server: Server) -> dict[str, Any]:
    assert load.stdout is not None
    line = load.stdout.readline()
    if not line:
        raise RuntimeError(f"the publishers gave up; the server's log:\n{server.tail()}")
    return dict(json.loads(line))


def table(name: str, found: dict[str, Any]) -> str:
    """The windows as Markdown."""
    offered = f", {found['offered']:,.0f} offered" if found["offered"] else ""
    lines = [
        f"**{name}**: {found['rate']:,.0f} a second taken{offered}, {found['cpu_us']:,.0f} µs CPU each,"
        f" {found['missing']} missing",
        "",
        "| window | taken | refused | arrived | p50 ms | p99 ms | longest ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for number, each in enumerate(found["windows"]):
        figures = (each[key] for key in ("sent", "refused", "arrived", "p50_ms", "p99_ms", "most_ms"))
        lines.append(f"| {number * 5} s | {' | '.join(f'{figure:,}' for figure in figures)} |")
    return "\n".join([*lines, ""])


def goals(phases: dict[str, dict[str, Any]]) -> list[tuple[str, bool]]:
    """What must hold."""
    steady = phases[f"{SHARE:.0%} of that"]["windows"]
    medians = [each["p50_ms"] for each in steady]
    worst = sorted(each["p99_ms"] for each in steady)
    first, last = medians[: max(len(medians) // 4, 1)], medians[-max(len(medians) // 4, 1) :]
    crowded = phases["twice that"]["windows"]
    refused, sent = sum(each["refused"] for each in crowded), sum(each["sent"] for each in crowded)
    p99 = max(each["p99_ms"] for each in crowded)
    return [
        (f"at 70 %: p99 {worst[0]} to {worst[-1]} ms, at most {GOAL_MS:.0f}", worst[-1] <= GOAL_MS),
        (f"at 70 %: no growth, median {first} at first, {last} at last", max(last) <= GROWTH * max(first)),
        (f"at twice the maximum: {refused:,} refused, {sent:,} taken; the p99 of those stays below 1 s: {p99} ms",
         refused > 0 and p99 < 1_000),
        ("nothing is missing", not any(each["missing"] for each in phases.values())),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of the phase at 70 %%; default 60")
    parser.add_argument("--in-process", action="store_true", help="only sends from Python")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and so the server is stopped too
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    figures: dict[str, Any] = {"in_process": in_process()}
    own = figures["in_process"]
    judged = [
        (f"in process: {own['median_us']:.0f} µs CPU a send ({own['least_us']:.0f} to {own['most_us']:.0f}),"
         f" at most {IN_PROCESS_GOAL_US:.0f}", own["median_us"] <= IN_PROCESS_GOAL_US)
    ]  # fmt: skip
    if not given.in_process:
        figures["phases"] = over_http(given.seconds)
        judged += goals(figures["phases"])
    for text, is_met in judged:
        print(f"{'met   ' if is_met else 'MISSED'} {text}")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
