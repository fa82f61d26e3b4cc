"""Storm: everybody loses the server at once, and comes back when it is there again. For connect.py."""

from __future__ import annotations

import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fanout import NOTIWAY, PAYLOAD
from server import HERE, ROOT, Server, clean_environment

AWAY_SECONDS = 5.0  # between the kill and the new start: by then most clients wait for long
PATIENCE_SECONDS = 120.0


def storm(clients: int) -> dict[str, Any]:
    """Connect so many clients, kill the server, start it again, and see how it goes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = clean_environment(
            BENCHMARK_PAYLOAD=str(PAYLOAD),
            NOTIWAY_ENV="production",
            NOTIWAY_DATABASE_URL=f"sqlite:///{folder}/notiway.db",
            SECRET_KEY="a secret of the benchmark, of more than 32 bytes",
            PYTHONPATH=str(ROOT),
            **{key: value for key, value in os.environ.items() if key == "NOTIWAY_CONNECT_RATE"},
        )
        command = [sys.executable, str(HERE / "peers" / "notiway_app.py"), str(clients)]
        made = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        if made.returncode:
            raise SystemExit(made.stderr)
        cookies = folder / "cookies"
        cookies.write_text(made.stdout)
        first = Server(NOTIWAY, environment, PAYLOAD, None, folder / "first.log")
        crowd = subprocess.Popen(
            [sys.executable, str(HERE / "returning.py"), str(first.port), "--cookies", str(cookies)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        second: Server | None = None
        try:
            _ask(crowd, do="connect", to=clients)
            _tell(crowd, do="come_back", within=PATIENCE_SECONDS)
            _hear(crowd)
            worker = first.pid
            first.process.kill()
            os.kill(worker, signal.SIGKILL)
            gone = time.monotonic()
            first.process.wait()
            time.sleep(AWAY_SECONDS)
            second = Server(NOTIWAY, environment, PAYLOAD, None, folder / "second.log", port=first.port)
            _wait_for_answer(first.port)
            back = time.monotonic()
            pulse = Pulse(first.port)
            found = _hear(crowd)
            times = pulse.end()
            cpu = second.cpu_seconds()
        finally:
            crowd.kill()
            crowd.wait()
            first.close()
            if second is not None:
                second.close()
    if found["back"] < clients:
        raise SystemExit(f"only {found['back']:,} of {clients:,} clients are back after {PATIENCE_SECONDS:.0f} s")
    moments = [each - back for each in found["moments"]]
    return {
        "clients": clients,
        "away_seconds": back - gone,
        "back_seconds": max(moments),
        "half_back_seconds": statistics.median(moments),
        "tries": found["tries"],
        "refused": found["refused"],
        "get_p50_ms": statistics.median(times),
        "get_p99_ms": statistics.quantiles(times, n=100)[98],
        "get_longest_ms": max(times),
        "cpu_seconds": cpu,
    }


def _wait_for_answer(port: int) -> None:
    """The port is open as soon as gunicorn is there; its worker answers when it has loaded the application."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    connection.close()


class Pulse:
    """pulse.py: a GET every 5 ms in a process of its own."""

    def __init__(self, port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "pulse.py"), str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def end(self) -> list[float]:
        _tell(self._process)
        times: list[float] = _hear(self._process)
        self._process.kill()
        self._process.wait()
        return times


def _ask(process: subprocess.Popen[str], **order: Any) -> Any:
    _tell(process, **order)
    return _hear(process)


def _tell(process: subprocess.Popen[str], **order: Any) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()


def _hear(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("a process of the benchmark gave up")
    return json.loads(line)
