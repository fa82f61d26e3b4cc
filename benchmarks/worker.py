"""Worker: a process under test whose CPU time is read, and the clients that call it and listen to it."""

from __future__ import annotations

import base64
import os
import select
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from server import HERE, LOOK_SECONDS, end, end_of, free_port, settled_cpu, wait_until_it_listens, worker_of

END = b"\r\n\r\n"
READ_BYTES = 256 * 1024


class Worker:
    """gunicorn with one worker. `{port}` is filled in; with its log under `folder`."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.port = free_port()
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [part.format(port=self.port) for part in command],
                env={**environment, "PORT": str(self.port)}, cwd=HERE, stdout=out, stderr=out,
            )  # fmt: skip
        wait_until_it_listens(self.process, self.port, "the server", log)
        self.caller = Caller(self.port)

    @property
    def pid(self) -> int:
        """The process that serves; gunicorn's first one only watches."""
        return worker_of(self.process)

    def cost(self, requests: Sequence[bytes]) -> float:
        """Send these; the CPU time that the server took, in seconds."""
        before = settled_cpu(self.pid)
        try:
            self.caller.call(requests)
        except (OSError, AssertionError) as error:
            raise RuntimeError(f"{error!r}; the server's log:\n{self.tail()}") from error
        return settled_cpu(self.pid) - before

    def tail(self) -> str:
        return end_of(self.log)

    def close(self) -> None:
        self.caller.close()
        end(self.process)


class Caller:
    """A few connections that are kept, each with one request under way."""

    def __init__(self, port: int, connections: int = 4) -> None:
        self._port = port
        self._sockets: list[socket.socket] = []
        self._count = connections
        self.answers: list[bytes] = []

    def call(self, requests: Sequence[bytes]) -> None:
        """Send all of them; each must be answered with 2xx. The last bodies stay in `answers`."""
        self.close()  # a server may have closed what was idle
        self._sockets = [self._open() for _ in range(min(self._count, len(requests)))]
        self.answers = []
        for start in range(0, len(requests), len(self._sockets)):
            batch = requests[start : start + len(self._sockets)]
            for each, request in zip(self._sockets, batch, strict=False):
                each.sendall(request)
            self.answers = [self._answer(each) for each, _ in zip(self._sockets, batch, strict=False)]

    def close(self) -> None:
        for each in self._sockets:
            each.close()
        self._sockets = []

    def _open(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self._port), 30)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    @staticmethod
    def _answer(carrier: socket.socket) -> bytes:
        data = b""
        while END not in data:
            more = carrier.recv(READ_BYTES)
            assert more, f"closed after {data[:500]!r}"
            data += more
        head, _, body = data.partition(END)
        assert head[9:10] == b"2", data[:1000]
        size = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        while len(body) < size:
            body += carrier.recv(READ_BYTES)
        return body


def request_of(method: str, path: str, body: bytes = b"", token: str = "") -> bytes:
    """One HTTP request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*", "User-Agent: benchmark"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join(lines).encode() + END + body


class Listeners:
    """WebSocket clients that read all that comes, in a thread, and count the notifications in it."""

    SIGN = b'"event":"notification"'
    PING, PONG = b"\x89\0", b"\x8a\x80\0\0\0\0"  # empty; the answer is masked with zeros

    def __init__(self, port: int, tokens: Sequence[str]) -> None:
        self.heard = 0
        self._poll = select.epoll()
        self._rest: dict[int, bytes] = {}
        self._sockets: dict[int, socket.socket] = {}
        for token in tokens:
            self._open(port, token)
        self._ends = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait_for(self, count: int, seconds: float = 30.0) -> int:
        """Until so many were heard in all, or the time is over; how many were."""
        deadline = time.monotonic() + seconds
        while self.heard < count and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        return self.heard

    def close(self) -> None:
        self._ends = True
        self._thread.join()
        for each in self._sockets.values():
            each.close()

    def _open(self, port: int, token: str) -> None:
        client = socket.create_connection(("127.0.0.1", port), 30)
        key = base64.b64encode(os.urandom(16)).decode()
        client.sendall(
            f"GET /ws/notifications?access_token={token} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        assert client.recv(READ_BYTES).startswith(b"HTTP/1.1 101")
        client.setblocking(False)
        self._sockets[client.fileno()] = client
        self._rest[client.fileno()] = b""
        self._poll.register(client.fileno(), select.EPOLLIN)

    def _read(self) -> None:
        while not self._ends:
            for number, _ in self._poll.poll(LOOK_SECONDS):
                more = self._sockets[number].recv(READ_BYTES)
                if not more:
                    self._poll.unregister(number)
                    continue
                if self.PING in more:  # whoever does not answer is let go
                    self._sockets[number].sendall(self.PONG)
                data = self._rest[number] + more
                self.heard += data.count(self.SIGN)
                cut = data.rfind(self.SIGN)
                # What may be the beginning of the next sign stays, without one that was counted.
                self._rest[number] = data[
                    max(cut + len(self.SIGN) if cut >= 0 else 0, len(data) - len(self.SIGN) + 1) :
                ]
