"""Crowd: many WebSocket clients in one process, cheap enough that the server is what gets measured.

It reads commands as JSON lines from its standard input and answers each with one JSON line:

    {"do": "connect", "to": 1000}     -> {"open": 1000, "greeted": 1000}
    {"do": "broadcast", "rounds": 5}  -> {"frames": 5000, "seconds": 0.2}

A broadcast is asked for by GET /broadcast (or POST, where the server wants its text); the next one begins when every
client has read the last.
"""

from __future__ import annotations

import argparse
import http.client
import json
import resource
import select
import socket
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

IN_FLIGHT = 50  # handshakes under way at once
STALL_SECONDS = 30.0  # nothing arrives for so long: the server has lost frames
READ_BYTES = 64 * 1024
HANDSHAKE_END = b"\r\n\r\n"
TEXT, PING, CLOSE = 0x81, 0x89, 0x88  # first byte of a whole frame (RFC 6455 §5.2)
PONG = b"\x8a\x80\0\0\0\0"  # empty, masked with zeros
GREETING = '"event":"connected"'
PATH = "/ws/notifications?format=json"
SOCKETIO_PING = b"\x81\x012"  # a text frame; Socket.IO's pings are messages
SOCKETIO_PONG = b"\x81\x81\0\0\0\0" + b"3"


class Crowd:
    """All clients of one server."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.port, payload = given.port, given.payload
        self.cookies = (given.cookies.read_text().splitlines() if given.cookies else []) or [""]
        self.expects_greeting = given.greeted
        self.path, self.greeting, self.method = given.path, given.greeting.encode(), given.method
        # A text frame with a mask of zeros.
        self.hello = bytes((TEXT, 0x80 | len(given.hello), 0, 0, 0, 0)) + given.hello.encode() if given.hello else b""
        self.body = b"x" * payload if given.method == "POST" else None
        self.whole = bytes((TEXT, 126)) + payload.to_bytes(2, "big")  # how a broadcast frame begins
        self.size = len(self.whole) + payload
        self.epoll = select.epoll()
        self.clients: dict[int, socket.socket] = {}
        self.rest: dict[int, bytes] = {}  # the part of a frame, or of the handshake, that has come so far
        self.shaking: set[int] = set()
        self.seen: Counter[str] = Counter()
        self.other = b""  # the last frame that was none of those we know

    def connect(self, to: int) -> dict[str, int]:
        """Open connections until there are so many; each has its answer, and its first message if it gets one."""
        while len(self.clients) < to or self.shaking or self._waits_for_greetings():
            while len(self.shaking) < IN_FLIGHT and len(self.clients) < to:
                self._open()
            self._read(STALL_SECONDS)
        return {"open": len(self.clients), "greeted": self.seen["greetings"]}

    def broadcast(self, rounds: int) -> dict[str, float]:
        """Ask for broadcasts one after the other; the frames that came."""
        before, started = self.seen["broadcasts"], time.perf_counter()
        control = http.client.HTTPConnection("127.0.0.1", self.port, timeout=STALL_SECONDS)
        for number in range(1, rounds + 1):
            control.request(self.method, "/broadcast", self.body)
            deadline = time.monotonic() + STALL_SECONDS
            while (missing := before + number * len(self.clients) - self.seen["broadcasts"]) > 0:
                self._read(STALL_SECONDS)
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{missing} frames are missing: {dict(self.seen)}, last other: {self.other!r}")
            answer = control.getresponse()
            answer.read()
            if answer.status >= http.HTTPStatus.BAD_REQUEST:
                raise RuntimeError(f"/broadcast answered {answer.status}")
        control.close()
        self._read(0)  # what is there already belongs to these rounds, if it is one too many
        return {"frames": self.seen["broadcasts"] - before, "seconds": time.perf_counter() - started}

    def serve(self) -> None:
        """Take commands until the input ends; meanwhile read, and answer pings."""
        commands = sys.stdin.fileno()
        self.epoll.register(commands, select.EPOLLIN)
        while True:
            if commands not in self._read(STALL_SECONDS, may_be_quiet=True):
                continue
            line = sys.stdin.readline()
            if not line:
                return
            order = json.loads(line)
            self.epoll.unregister(commands)
            done: Any = self.connect(order["to"]) if order["do"] == "connect" else self.broadcast(order["rounds"])
            self.epoll.register(commands, select.EPOLLIN)
            print(json.dumps(done), flush=True)

    def _waits_for_greetings(self) -> bool:
        return self.expects_greeting and self.seen["greetings"] < len(self.clients)

    def _open(self) -> None:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=STALL_SECONDS)
        client.setblocking(False)
        cookie = self.cookies[len(self.clients) % len(self.cookies)]
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            f"Origin: http://127.0.0.1:{self.port}",
            "User-Agent: crowd",
            *([f"Cookie: {cookie}"] if cookie else []),
        ]
        client.sendall("\r\n".join(lines).encode() + HANDSHAKE_END)
        number = client.fileno()
        self.clients[number] = client
        self.shaking.add(number)
        self.epoll.register(number, select.EPOLLIN)

    def _read(self, seconds: float, may_be_quiet: bool = False) -> set[int]:
        """Read whatever is there; the numbers that are ready."""
        ready = self.epoll.poll(seconds, 4096)
        if not ready and seconds and not may_be_quiet:
            raise RuntimeError(f"nothing came for {seconds} s: {dict(self.seen)}, {len(self.shaking)} handshakes open")
        clients, rest, size, whole, broadcasts = self.clients, self.rest, self.size, self.whole, 0
        for number, _ in ready:
            client = clients.get(number)
            if client is None:
                continue
            data = client.recv(READ_BYTES)
            if len(data) == size and number not in rest and data.startswith(whole):
                broadcasts += 1  # the usual case, and the cheapest
            else:
                self._take(number, client, data)
        self.seen["broadcasts"] += broadcasts
        return {number for number, _ in ready if number not in clients}

    def _take(self, number: int, client: socket.socket, data: bytes) -> None:
        if not data:
            raise RuntimeError(f"the server closed a connection: {dict(self.seen)}")
        data = self.rest.pop(number, b"") + data
        if number in self.shaking:
            head, end, data = data.partition(HANDSHAKE_END)
            if not end:
                self.rest[number] = head
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                raise RuntimeError(f"no upgrade: {head.decode('latin-1')}")
            self.shaking.discard(number)
            if self.hello:
                client.send(self.hello)
        while data:
            frame = self._frame(data)
            if frame is None:
                self.rest[number] = data
                return
            data = data[len(frame) :]
            self._count(client, frame)

    @staticmethod
    def _frame(data: bytes) -> bytes | None:
        """The first whole frame; a server's frames are not masked."""
        if len(data) < 4:
            return None
        length = data[1]
        end = 2 + length if length < 126 else 4 + int.from_bytes(data[2:4], "big")
        return data[:end] if len(data) >= end else None

    def _count(self, client: socket.socket, frame: bytes) -> None:
        if frame.startswith(self.whole):
            self.seen["broadcasts"] += 1
        elif frame[0] == PING:
            client.send(PONG)
            self.seen["pings"] += 1
        elif frame[0] == CLOSE:
            raise RuntimeError(f"the server says goodbye: {frame[2:]!r}")
        elif frame == SOCKETIO_PING:
            client.send(SOCKETIO_PONG)
            self.seen["pings"] += 1
        elif self.greeting in frame:
            self.seen["greetings"] += 1
        else:
            self.seen["others"] += 1
            self.other = frame


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--payload", type=int, required=True, help="bytes of a broadcast's text")
    parser.add_argument("--cookies", type=Path, help="a file with one Cookie header per line, used in turn")
    parser.add_argument("--greeted", action="store_true", help="the server greets each connection")
    parser.add_argument("--path", default=PATH, help="what is asked for to open a WebSocket")
    parser.add_argument("--hello", default="", help="what a client says first")
    parser.add_argument("--greeting", default=GREETING, help="a part of the greeting")
    parser.add_argument("--method", default="GET", help="how /broadcast is asked for; with POST the text is its body")
    given = parser.parse_args()
    soft_hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft_hard, soft_hard))
    Crowd(given).serve()


if __name__ == "__main__":
    main()
