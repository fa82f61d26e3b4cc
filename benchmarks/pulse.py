"""Pulse: asks a server for `/healthz` every few milliseconds, in a process of its own, and keeps the times.

    python pulse.py PORT        each line on stdin ends a stretch: its times come out as JSON, in milliseconds

A server that is silent for a second has kept two hundred askers waiting, not one. So each question that fell due while
an answer was waited for counts too, with the time from when it was due (coordinated omission).
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time

INTERVAL_SECONDS = 0.005
PATIENCE_SECONDS = 120.0


class Pulse:
    """One keep-alive connection that asks until the process ends."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        self._times: list[float] = []
        self._lock = threading.Lock()

    def take(self) -> list[float]:
        """The times since the last call."""
        with self._lock:
            times, self._times = self._times, []
        return times

    def run(self) -> None:
        due = time.monotonic()
        while True:
            time.sleep(max(0.0, due - time.monotonic()))
            self._ask()
            answered = time.monotonic()
            waited = []
            while due <= answered:
                waited.append((answered - due) * 1e3)
                due += INTERVAL_SECONDS
            with self._lock:
                self._times += waited

    def _ask(self) -> None:
        try:
            self._connection.request("GET", "/healthz")
            self._connection.getresponse().read()
        except (http.client.HTTPException, OSError):
            self._connection.close()  # the server ended a connection that was idle: ask again on a new one


def main() -> None:
    pulse = Pulse(int(sys.argv[1]))
    threading.Thread(target=pulse.run, daemon=True).start()
    for _ in sys.stdin:
        print(json.dumps([round(each, 2) for each in pulse.take()]), flush=True)


if __name__ == "__main__":
    main()
