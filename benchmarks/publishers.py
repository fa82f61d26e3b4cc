"""Publishers: send envelopes to single users over HTTP, and note when each arrives at its user's WebSocket.

It reads commands as JSON lines from its standard input, and answers each with one JSON line:

    {"do": "publish", "seconds": 60, "publishers": 8, "rate": 900, "is_steady": true}

A rate of 0 is as fast as answered. The answer is

    {"windows": [{"sent", "refused", "arrived", "p50_ms", "p99_ms", "most_ms"}, …], "missing": 0}

At a rate, an envelope's time counts from when it was due, so that a server which is late cannot slow the clock down.
"""

from __future__ import annotations

import heapq
import json
import select
import socket
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

WINDOW_SECONDS = 5.0
TAIL_SECONDS = 10.0  # for what is under way at the end
READ_BYTES = 64 * 1024
HEAD_END = b"\r\n\r\n"
NUMBER = b'"number":'
PING, PONG = 0x89, b"\x8a\x80\0\0\0\0"


class Publishers:
    """All connections, of publishers and of users, in one loop."""

    def __init__(self, port: int, key: str, tokens: list[str]) -> None:
        self.port, self.key = port, key
        self.epoll = select.epoll()
        self.users: dict[int, socket.socket] = {}
        self.publishers: dict[int, socket.socket] = {}
        self.number = 0
        self.due: dict[int, float] = {}  # when each envelope was due
        self.by: dict[int, int] = {}  # which envelope a publisher waits for an answer to
        self.rest: dict[int, bytes] = {}
        self.windows: list[dict[str, Any]] = []
        self.began = 0.0
        for number, token in enumerate(tokens):
            self._listen(token)
            if number % 50 == 49:
                time.sleep(0.05)

    def publish(self, seconds: float, publishers: int, rate: float, is_steady: bool = True) -> dict[str, Any]:
        """Send for so long; the figures of each window. Not `is_steady`: when all wait for answers, none is due."""
        while len(self.publishers) < publishers:
            client = socket.create_connection(("127.0.0.1", self.port))
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.publishers[client.fileno()] = client
            self.epoll.register(client.fileno(), select.EPOLLIN)
        idle = deque(list(self.publishers)[:publishers])
        self.windows = [
            {"sent": 0, "refused": 0, "times": []} for _ in range(int((seconds + TAIL_SECONDS) / WINDOW_SECONDS) + 1)
        ]
        self.due.clear()
        self.began = now = time.perf_counter()
        planned = 0
        while (now := time.perf_counter()) < self.began + seconds:
            while idle and (not rate or self.began + planned / rate <= now):
                due = self.began + planned / rate if rate and is_steady else now
                planned += 1
                self._send(idle.popleft(), due)
            self._read(0.001, idle)
            if not (idle or is_steady):
                planned = int((time.perf_counter() - self.began) * rate)
        end = time.perf_counter() + TAIL_SECONDS
        while self.due and time.perf_counter() < end:
            self._read(0.1, idle)
        return {"windows": [figures for each in self.windows if (figures := _figures(each))], "missing": len(self.due)}

    def _send(self, number: int, due: float) -> None:
        self.number += 1
        body = json.dumps(
            {
                "id": f"e{self.number}",
                "type": "invoice-ready",
                "body": {"number": self.number, "title": "Invoice ready", "message": "x" * 200},
                "routing": {"audienceType": 4, "audienceValue": f"u{self.number % len(self.users)}"},
                "metadata": {"producer": "billing", "isPersisted": True},
            }
        ).encode()
        head = (
            f"POST /api/notifications HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.due[self.number] = due
        self.by[number] = self.number
        self.publishers[number].sendall(head.encode() + body)

    def _read(self, seconds: float, idle: deque[int]) -> None:
        for number, _ in self.epoll.poll(seconds, 4096):
            if number in self.users:
                self._arrived(number, self.users[number].recv(READ_BYTES))
            else:
                answer = self.rest.pop(number, b"") + self.publishers[number].recv(READ_BYTES)
                if not answer.endswith(b"}\n"):  # head and body come one after the other
                    self.rest[number] = answer
                    continue
                envelope = self.by.pop(number)
                window = self._window(self.due.get(envelope, time.perf_counter()))
                if answer.startswith(b"HTTP/1.1 201"):
                    window["sent"] += 1
                elif answer.startswith(b"HTTP/1.1 503"):
                    window["refused"] += 1
                    self.due.pop(envelope, None)
                else:
                    raise RuntimeError(answer.decode("latin-1"))
                idle.append(number)

    def _arrived(self, number: int, data: bytes) -> None:
        if not data:
            raise RuntimeError("the server closed a user's connection")
        now = time.perf_counter()
        if data[0] == PING:
            self.users[number].send(PONG)
        at = data.find(NUMBER)
        while at >= 0:
            envelope = int(data[at + len(NUMBER) : data.find(b",", at)])
            due = self.due.pop(envelope, None)
            if due is not None:
                self._window(due)["times"].append(now - due)
            at = data.find(NUMBER, at + 1)

    def _window(self, at: float) -> dict[str, Any]:
        return self.windows[int((at - self.began) / WINDOW_SECONDS)]

    def _listen(self, token: str) -> None:
        client = socket.create_connection(("127.0.0.1", self.port))
        head = (
            f"GET /ws/notifications?format=json&access_token={token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        client.sendall(head.encode())
        data = b""
        while b'"event":"connected"' not in data:
            more = client.recv(READ_BYTES)
            if not more or (HEAD_END in data and b" 101 " not in data[:20]):
                raise RuntimeError(f"no upgrade: {data.decode('latin-1')}")
            data += more
        self.users[client.fileno()] = client
        self.epoll.register(client.fileno(), select.EPOLLIN)


def _figures(window: dict[str, Any]) -> dict[str, Any] | None:
    times = sorted(window["times"])
    if not times and not window["refused"]:
        return None
    return {
        "sent": window["sent"],
        "refused": window["refused"],
        "arrived": len(times),
        **{name: round(_part(times, share) * 1e3, 1) for name, share in (("p50_ms", 0.5), ("p99_ms", 0.99))},
        "most_ms": round(heapq.nlargest(1, times)[0] * 1e3, 1) if times else 0.0,
    }


def _part(times: list[float], share: float) -> float:
    return times[min(int(len(times) * share), len(times) - 1)] if times else 0.0


def main() -> None:
    key, *tokens = Path(sys.argv[2]).read_text().split()
    publishers = Publishers(int(sys.argv[1]), key, tokens)
    print(json.dumps({"users": len(tokens)}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        del order["do"]
        print(json.dumps(publishers.publish(**order)), flush=True)


if __name__ == "__main__":
    main()
