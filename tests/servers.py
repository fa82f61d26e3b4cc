"""Servers that tests start for themselves, and waiting for a condition with a deadline."""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEADLINE_SECONDS = 90.0
PAUSE_SECONDS = 0.01


def wait_until(condition: Callable[[], Any], seconds: float = DEADLINE_SECONDS) -> Any:
    """The first true value of the condition; `AssertionError` after the deadline."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(PAUSE_SECONDS)
    return value


def free_port() -> int:
    """A port on loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Whether somebody listens on that port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@dataclass
class RedisProcess:
    """A Redis that a test may stop, freeze and kill."""

    url: str
    port: int  # 0: only its socket in the file system
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait()


@contextmanager
def redis_process(port: int | None = None, *options: str) -> Iterator[RedisProcess]:
    """A Redis of our own, in memory, at a port or (0) at the file that `--unixsocket` names."""
    port = free_port() if port is None else port
    place = options[options.index("--unixsocket") + 1] if port == 0 else None
    with tempfile.TemporaryDirectory() as folder:
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", *options]
        running = RedisProcess(
            f"unix://{place}" if place else f"redis://127.0.0.1:{port}/0",
            port,
            subprocess.Popen(command, stdout=subprocess.DEVNULL),
        )
        try:
            wait_until((lambda: Path(place).is_socket()) if place else (lambda: accepts(port)))
            yield running
        finally:
            running.stop()


@contextmanager
def redis_server() -> Iterator[str]:
    """A Redis of our own, in memory; yields its URL."""
    with redis_process() as running:
        yield running.url


@contextmanager
def redis_sentinel(master: RedisProcess, service: str = "mymaster") -> Iterator[str]:
    """A sentinel that knows this master; yields the broker's URL."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "sentinel.conf"
        config.write_text(f"port {port}\nbind 127.0.0.1\nsentinel monitor {service} 127.0.0.1 {master.port} 1\n")
        process = subprocess.Popen(["redis-server", str(config), "--sentinel"], stdout=subprocess.DEVNULL)
        try:
            wait_until(lambda: accepts(port))
            yield f"redis+sentinel://127.0.0.1:{port}/{service}"
        finally:
            process.terminate()
            process.wait()


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    """An HTTP answer as bytes; the connection ends with it."""
    lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
