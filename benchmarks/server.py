"""Server: one of the servers under test, its crowd, and what the kernel says about its process."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent  # its gunicorn.conf.py must not find its way to the peers, so servers start in HERE
GUNICORN = (sys.executable, "-m", "gunicorn")
START_SECONDS = 30.0
SETTLE_SECONDS = 5.0
LOOK_SECONDS = 0.05
QUIET_CPU_SECONDS = 0.002  # less CPU than this between two looks: it has finished
PROCESS_CLOCK = 2  # clock_getcpuclockid(3): user + system time of a whole process, in nanoseconds


@dataclass(frozen=True)
class Recipe:
    """How to start a server. `{port}` is filled in; `is_gunicorn` means that a child of it does the work.

    `path`, `hello`, `greeting` and `method` are what its clients say and hear, where it is not what Notiway's do.
    """

    name: str
    command: tuple[str, ...]
    is_gunicorn: bool = False
    greets: bool = False
    path: str = ""
    hello: str = ""
    greeting: str = ""
    method: str = ""


class Server:
    """A running server and its crowd of clients."""

    def __init__(
        self, recipe: Recipe, environment: dict[str, str], payload: int, cookies: Path | None, log: Path, port: int = 0
    ):
        self.recipe = recipe
        self.port = port or free_port()
        environment = {**environment, "PORT": str(self.port)}
        command = [part.format(port=self.port, payload=payload) for part in recipe.command]
        with log.open("wb") as out:
            self.process = subprocess.Popen(command, env=environment, cwd=HERE, stdout=out, stderr=out)
        self.log = log
        wait_until_it_listens(self.process, self.port, recipe.name, log)
        signed_in = ["--cookies", str(cookies)] if cookies else []
        greeted = ["--greeted"] if recipe.greets else []
        spoken = ("path", "hello", "greeting", "method")
        words = [f"--{name}={value}" for name in spoken if (value := getattr(recipe, name))]
        self.crowd = subprocess.Popen(
            [
                sys.executable,
                str(HERE / "crowd.py"),
                str(self.port),
                "--payload",
                str(payload),
                *signed_in,
                *greeted,
                *words,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **order: Any) -> dict[str, Any]:
        """Let the crowd do something; what it answers."""
        assert self.crowd.stdin is not None
        assert self.crowd.stdout is not None
        self.crowd.stdin.write(json.dumps(order) + "\n")
        self.crowd.stdin.flush()
        line = self.crowd.stdout.readline()
        if not line:
            raise RuntimeError(f"the crowd of {self.recipe.name} gave up; the server's log:\n{self.tail()}")
        return dict(json.loads(line))

    def cpu_seconds(self) -> float:
        """User and system time of the serving process, when it has finished what it was doing."""
        return settled_cpu(self.pid)

    def cpu_now(self) -> float:
        """The same at once, whatever it is doing."""
        return process_cpu(self.pid)

    def own_kib(self) -> int:
        """Memory of its own: without files, such as the database's, that it has mapped."""
        found = re.search(r"^Anonymous:\s+(\d+) kB", Path(f"/proc/{self.pid}/smaps_rollup").read_text(), re.MULTILINE)
        assert found is not None
        return int(found.group(1))

    def resident_kib(self) -> int:
        """Resident memory; from smaps_rollup, for the cheaper counters lag behind by some pages per processor."""
        found = re.search(r"^Rss:\s+(\d+) kB", Path(f"/proc/{self.pid}/smaps_rollup").read_text(), re.MULTILINE)
        assert found is not None
        return int(found.group(1))

    @property
    def pid(self) -> int:
        """The process that serves; gunicorn's first one only watches."""
        return worker_of(self.process) if self.recipe.is_gunicorn else self.process.pid

    def close(self) -> None:
        self.process.terminate()
        self.crowd.kill()
        self.crowd.wait()
        end(self.process)

    def tail(self) -> str:
        return end_of(self.log)


def notiway(module: str) -> tuple[str, ...]:
    """The command that serves an application of `peers/` as in production; `{port}` is to be filled in."""
    settings = ("-c", str(ROOT / "gunicorn.conf.py"), "-b", "127.0.0.1:{port}")
    return (*GUNICORN, *settings, "--pythonpath", f"{ROOT},{HERE / 'peers'}", f"{module}:app")


def process_cpu(pid: int) -> float:
    """User and system time of a process, in seconds."""
    return time.clock_gettime(~pid << 3 | PROCESS_CLOCK)


def settled_cpu(pid: int) -> float:
    """The same once the process has finished what it was doing."""
    deadline = time.monotonic() + SETTLE_SECONDS
    now = process_cpu(pid)
    while time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
        before, now = now, process_cpu(pid)
        if now - before < QUIET_CPU_SECONDS:
            break
    return now


def worker_of(process: subprocess.Popen[bytes]) -> int:
    """The process of gunicorn's that serves; its first one only watches."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])


def wait_until_it_listens(process: subprocess.Popen[bytes], port: int, name: str, log: Path) -> None:
    """Return when a server takes connections; `RuntimeError` if it ends before, or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} does not start:\n{end_of(log)}") from None
            time.sleep(LOOK_SECONDS)
        else:
            return


def end(process: subprocess.Popen[bytes]) -> None:
    """Let a process end in order; kill it if it does not."""
    process.terminate()
    try:
        process.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_of(log: Path) -> str:
    """The last of what a process wrote."""
    return log.read_text(errors="replace")[-3000:]


def free_port() -> int:
    """A port on loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(**settings: str) -> dict[str, str]:
    """This process's environment, without settings that would change what is measured."""
    ours = ("NOTIWAY_", "GUNICORN_", "WEB_CONCURRENCY", "FLASK_")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(ours)}, **settings}
