"""Bystander: somebody who does nothing wrong, in a process of its own, and how it is served meanwhile.

`python -m chaos.bystander PORT TOKEN` asks again and again, over each way in a thread, and prints a line for each
answer: the way, the seconds it took (`-` for none) and when it came.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from clients.producer import token as make_token
from servers import wait_until
from serving import ROOT, Site
from websockets.exceptions import WebSocketException
from websockets.protocol import State
from websockets.sync.client import connect

from chaos.ledger import Ledger

PAUSE_SECONDS = 0.02  # between two questions of one way
PATIENCE_SECONDS = 60.0
WAYS = ("healthz", "api", "ping")
USER = "bystander"


class Bystander:
    """What it was answered so far: `answers["healthz"]` are the seconds that each answer took."""

    def __init__(self, site: Site) -> None:
        command = [sys.executable, "-m", "chaos.bystander", str(site.port), make_token(site, USER, ttl=7200)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=site.environment, cwd=ROOT
        )
        self.answers: dict[str, list[float]] = defaultdict(list)
        self.failures: dict[str, int] = defaultdict(int)
        self.silence = 0.0  # the longest time between two answers of /healthz
        self._last = 0.0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            way, seconds, moment = line.split()
            if seconds == "-":
                self.failures[way] += 1
                continue
            self.answers[way].append(float(seconds))
            if way == "healthz":
                self.silence = max(self.silence, float(moment) - self._last if self._last else 0.0)
                self._last = float(moment)

    def wait_for(self, count: int, *ways: str) -> None:
        """Wait until each of these ways (or all) was answered that many times more."""
        before = {way: len(self.answers[way]) for way in ways or WAYS}
        wait_until(lambda: all(len(self.answers[way]) >= had + count for way, had in before.items()), PATIENCE_SECONDS)

    def forget(self) -> None:
        """Begin to count anew: what comes now is what is measured."""
        self.answers.clear()
        self.failures.clear()
        self.silence = 0.0

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        self._process.stdout.close()

    def p99_ms(self) -> dict[str, int]:
        """Of each way the time in ms that 99 of 100 answers did not take."""
        return {
            way: round(sorted(taken)[int(len(taken) * 0.99)] * 1000) for way, taken in self.answers.items() if taken
        }


@contextlib.contextmanager
def standing_by(site: Site, ledger: Ledger) -> Iterator[Bystander]:
    """A bystander whose figures go to the ledger at the end."""
    bystander = Bystander(site)
    try:
        bystander.wait_for(5)
        bystander.forget()
        yield bystander
    finally:
        bystander.close()
        ledger.note_silence(bystander.silence)
        ledger.remarks["p99_ms"] = bystander.p99_ms()


def _ask(port: int, path: str) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        line.request("GET", path)
        answer = line.getresponse()
        answer.read()
        if answer.status != 200:
            raise OSError(answer.status)
    finally:
        line.close()


def _ping_all_the_time(port: int, token: str, over: threading.Event) -> None:
    while not over.is_set():
        try:
            url = f"ws://127.0.0.1:{port}/ws/notifications?access_token={token}"
            with connect(url, proxy=None, ping_interval=None, max_queue=None, close_timeout=1) as socket:
                _repeat("ping", lambda: _ping(socket), over)
        except (OSError, WebSocketException):
            _say("ping", None)
            over.wait(PAUSE_SECONDS)


def _ping(socket: Any) -> None:
    answered = socket.ping(ack_on_close=True).wait(PATIENCE_SECONDS)
    if not answered or socket.state is not State.OPEN:
        raise OSError("no pong")


def _ask_all_the_time(way: str, port: int, path: str, over: threading.Event) -> None:
    while not over.is_set():
        try:
            _repeat(way, lambda: _ask(port, path), over)
        except (OSError, http.client.HTTPException):
            _say(way, None)
            over.wait(PAUSE_SECONDS)


def _repeat(way: str, ask: Any, over: threading.Event) -> None:
    while not over.is_set():
        began = time.monotonic()
        ask()
        _say(way, time.monotonic() - began)
        over.wait(PAUSE_SECONDS)


def _say(way: str, seconds: float | None) -> None:
    # One write for each line, past sys.stdout: the threads share it, and may be cut off at the end.
    line = f"{way} {'-' if seconds is None else f'{seconds:.6f}'} {time.monotonic():.6f}\n"
    os.write(1, line.encode())


def main(port: int, token: str) -> None:
    over = threading.Event()
    threads = [
        threading.Thread(target=target, args=arguments, daemon=True)  # an answer that never comes holds nobody up
        for target, *arguments in (
            (_ask_all_the_time, "healthz", port, "/healthz", over),
            (_ask_all_the_time, "api", port, f"/api/notifications?limit=1&access_token={token}", over),
            (_ping_all_the_time, port, token, over),
        )
    ]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
