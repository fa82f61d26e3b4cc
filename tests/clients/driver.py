"""Driver: a process that runs client libraries. Orders go in and reports come out as lines of JSON."""

import fcntl
import itertools
import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
LOCK = HERE / "package-lock.json"
INSTALLED = HERE / "node_modules" / ".package-lock.json"
PATIENCE_SECONDS = 40.0  # automatic reconnection waits 0, 2, 10 and 30 s


class Refused(Exception):
    """What the client library said of an order that failed."""


class Driver:
    """A running driver.

    >>> node.ask("connect", name="tab", url=f"{site.url}/hub", token=token, listen=["order-shipped"])  # doctest: +SKIP
    >>> node.wait("tab", "order-shipped")  # doctest: +SKIP
    [[{"id": "order-1", ...}]]
    """

    def __init__(self, *command):
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._changed = threading.Condition()
        self._reports = []
        self._answers = {}
        self._ids = itertools.count()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            said = json.loads(line)
            with self._changed:
                if "report" in said:
                    self._reports.append(said["report"])
                else:
                    self._answers[said.pop("id")] = said
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _until(self, condition, what):
        with self._changed:
            self._changed.wait_for(lambda: self._ended or condition(), PATIENCE_SECONDS)
            assert condition(), f"{what}; heard {self._reports[-10:]}"

    def ask(self, do, **order):
        """Give an order; its value. `Refused` if the library refuses."""
        order_id = next(self._ids)
        self._process.stdin.write(json.dumps({"id": order_id, "do": do, **order}) + "\n")
        self._process.stdin.flush()
        self._until(lambda: order_id in self._answers, f"no answer to {do} {order}")
        answer = self._answers.pop(order_id)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["value"]

    def invoke(self, name, method, *values):
        return self.ask("invoke", name=name, method=method, values=values)

    def heard(self, name, event):
        """The arguments of every report of that event so far."""
        return [values for who, what, *values in list(self._reports) if (who, what) == (name, event)]

    def wait(self, name, event, count=1):
        """The same, as soon as there are so many."""
        self._until(lambda: len(self.heard(name, event)) >= count, f"{name} did not hear {count} {event}")
        return self.heard(name, event)

    def close(self):
        self._process.kill()
        self._process.wait()
        self._reader.join(PATIENCE_SECONDS)
        self._process.stdin.close()
        self._process.stdout.close()


def install():
    """The packages of package-lock.json, installed once for however many test processes."""
    with LOCK.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not INSTALLED.exists() or INSTALLED.stat().st_mtime < LOCK.stat().st_mtime:
            command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.DEVNULL)
    return HERE / "node_modules"


@contextmanager
def open_driver(kind):
    """`node` or `signalrcore`."""
    if kind == "node":
        install()
        driver = Driver("node", str(HERE / "node.mjs"))
    else:
        driver = Driver(sys.executable, str(HERE / "signalrcore_driver.py"))
    try:
        yield driver
    finally:
        driver.close()
