"""Talkers: clients that say too much, read nothing, or never come to the end of a sentence."""

from __future__ import annotations

import contextlib
import itertools
import json
import resource
import selectors
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlencode

import psutil
from clients.producer import token
from clients.wires import RECORD_SEPARATOR
from server.raw import KEY, frame, trickle
from server.talk import PATIENCE_SECONDS
from serving import Site
from websockets.frames import Opcode

CHUNK = 50  # messages in one write
READ_BYTES = 1 << 20
SMALL_BUFFER = 4096
TRICKLE_SECONDS = 0.5
SAMPLE_SECONDS = 0.05
SPARE_FILES = 2_000  # of the limit of open files, for everything else
MEGABYTE = 1 << 20
NOTHING = b""
HALF_A_HEAD = b"GET /healthz HTTP/1.1\r\nHost: half.example.com\r\nX-Half"
NOISY = "group:noisy"


def action(name: str, **fields: object) -> bytes:
    return frame(json.dumps({"action": name, **fields}))


def invocation(method: str, *values: object) -> bytes:
    call = {"type": 1, "invocationId": "1", "target": method, "arguments": values}
    return frame(json.dumps(call) + RECORD_SEPARATOR)


# What a talker says again and again, by the path that it says it to.
FLOODS = {
    "ping frames": ("/ws/notifications", frame(b"", Opcode.PING)),
    "ping": ("/ws/notifications", action("ping")),
    "markAllAsRead": ("/ws/notifications", action("markAllAsRead")),
    "subscribe": ("/ws/notifications", action("subscribe", audience=NOISY)),
    "unsubscribe, subscribe": (
        "/ws/notifications",
        action("unsubscribe", audience=NOISY) + action("subscribe", audience=NOISY),
    ),
    "hub": ("/hub", invocation("Subscribe", {"audienceType": 3, "audienceValue": "noisy", "tenantId": None})),
    "hub reads": ("/hub", invocation("MarkAsRead", "global", "nothing")),
}
HUB_HELLO = frame(json.dumps({"protocol": "json", "version": 1}) + RECORD_SEPARATOR)


def open_line(site: Site, path: str, user: str, receives: int = 0, **query: str) -> socket.socket:
    """A raw socket that has asked for the upgrade and not yet read the answer."""
    line = socket.socket()
    if receives:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
    line.settimeout(PATIENCE_SECONDS)
    line.connect(("127.0.0.1", site.port))
    parameters = urlencode({"access_token": token(site, user), **query})
    lines = [f"GET {path}?{parameters} HTTP/1.1", f"Host: 127.0.0.1:{site.port}", "Upgrade: websocket"]
    lines += ["Connection: Upgrade", f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13", "", ""]
    line.sendall("\r\n".join(lines).encode())
    return line


def wait_for_upgrade(line: socket.socket) -> None:
    answer = b""
    while b"\r\n\r\n" not in answer:
        data = line.recv(1)  # not a byte of what follows
        assert data, answer
        answer += data
    assert b" 101 " in answer.split(b"\r\n")[0], answer


class Flood:
    """Sockets that say the same without end and read everything, in one thread; `closed` of them were ended."""

    def __init__(self, site: Site, says: dict[str, int]) -> None:
        self.closed = 0
        self._selector = selectors.DefaultSelector()
        self._over = threading.Event()
        self._waiting: dict[socket.socket, bytes] = {}
        for name, count in says.items():
            path, text = FLOODS[name]
            for number in range(count):
                line = open_line(site, path, f"talker {name} {number}")
                wait_for_upgrade(line)
                if path == "/hub":
                    line.sendall(HUB_HELLO)
                line.setblocking(False)
                self._selector.register(line, selectors.EVENT_READ | selectors.EVENT_WRITE, text * CHUNK)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            for key, ready in self._selector.select(0.1):
                line = key.fileobj
                assert isinstance(line, socket.socket)
                try:
                    self._turn(line, ready, key.data)
                except BlockingIOError:
                    continue
                except OSError:
                    self._selector.unregister(line)
                    line.close()
                    self.closed += 1

    def _turn(self, line: socket.socket, ready: int, text: bytes) -> None:
        if ready & selectors.EVENT_READ and not line.recv(READ_BYTES):
            raise ConnectionResetError
        if ready & selectors.EVENT_WRITE:
            rest = self._waiting.get(line) or text
            self._waiting[line] = rest[line.send(rest) :]

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()


class Trickle:
    """Requests whose bodies come a byte now and then."""

    def __init__(self, site: Site, ways: list[tuple[str, dict[str, str]]]) -> None:
        self._lines = [trickle(site, path, headers) for path, headers in ways]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(TRICKLE_SECONDS):
            for line in self._lines:
                with contextlib.suppress(OSError):
                    line.send(b" ")

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        for line in self._lines:
            line.close()


def silent_connections(wanted: int) -> int:
    """How many connections may be open at once: as many as the machine's limit of open files allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(wanted, hard - SPARE_FILES)


def half_open(site: Site, count: int, *says: bytes) -> Iterator[socket.socket]:
    """Connections that say so much and no more, in turn."""
    for said in itertools.islice(itertools.cycle(says), count):
        line = socket.create_connection(("127.0.0.1", site.port), PATIENCE_SECONDS)
        line.sendall(said)
        yield line


class Memory:
    """How much a site's worker has grown at most while the block ran, in bytes."""

    def __init__(self, site: Site) -> None:
        self._process = psutil.Process(site.worker_pid())
        self._before = self._process.memory_info().rss
        self.growth = 0

    def look(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self.growth = max(self.growth, self._process.memory_info().rss - self._before)


@contextlib.contextmanager
def memory_of(site: Site) -> Iterator[Memory]:
    memory, over = Memory(site), threading.Event()

    def watch() -> None:
        while not over.wait(SAMPLE_SECONDS):
            memory.look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        over.set()
        thread.join()
        memory.look()
