"""Returning: many WebSocket clients that come back by themselves when their server is gone, as the bell's script does.

    python returning.py PORT --cookies FILE

It reads commands as JSON lines from its standard input and answers each with one JSON line:

    {"do": "connect", "to": 1000}      -> {"open": 1000}
    {"do": "come_back", "within": 60}  -> {"back": 1000, "tries": …, "refused": …, "moments": [0.41, …]}

`come_back` waits until the server has let go of everybody and everybody is greeted again; a moment is when a client was
greeted (time.monotonic, which all processes of a machine share).
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import resource
import select
import socket
import sys
import time
from pathlib import Path
from typing import Any

# As in templates/notiway/bell/_bell.html and hx-ws.
DELAY_SECONDS, LONGEST_SECONDS, JITTER = 0.5, 8.0, 0.3
CONNECT_AT_ONCE = 50
GREETING = b'"event":"connected"'
PING, PONG = b"\x89\0", b"\x8a\x80\0\0\0\0"


class Client:
    """One page: its socket, how often it has tried in vain, and what it has read of its greeting."""

    __slots__ = ("attempt", "cookie", "greeted", "head", "sock", "state")

    def __init__(self, cookie: str) -> None:
        self.cookie = cookie
        self.sock: socket.socket | None = None
        self.attempt = 0
        self.head = b""
        self.state = "away"  # connecting, asked, open
        self.greeted = 0.0


class Returning:
    """All clients of one server."""

    def __init__(self, port: int, cookies: list[str]) -> None:
        self.address = ("127.0.0.1", port)
        self.cookies = cookies
        self.epoll = select.epoll()
        self.clients: list[Client] = []
        self.by_fd: dict[int, Client] = {}
        self.due: list[tuple[float, int, Client]] = []
        self.tries = self.refused = self.open = 0

    def connect(self, to: int) -> dict[str, int]:
        while self.open < to:
            while len(self.clients) < to and len(self.clients) - self.open < CONNECT_AT_ONCE:
                client = Client(self.cookies[len(self.clients) % len(self.cookies)])
                self.clients.append(client)
                self._dial(client)
            self._turn(1.0)
        return {"open": self.open}

    def come_back(self, within: float) -> dict[str, Any]:
        self.tries = self.refused = 0
        deadline = time.monotonic() + within
        print(json.dumps({"ready": True}), flush=True)
        while self.open and time.monotonic() < deadline:
            self._turn(0.1)
        while self.open < len(self.clients) and time.monotonic() < deadline:
            self._turn(0.1)
        moments = sorted(each.greeted for each in self.clients if each.state == "open")
        return {"back": self.open, "tries": self.tries, "refused": self.refused, "moments": moments}

    def serve(self) -> None:
        commands = sys.stdin.fileno()
        self.epoll.register(commands, select.EPOLLIN)
        while True:
            if commands not in self._turn(1.0):
                continue
            line = sys.stdin.readline()
            if not line:
                return
            order = json.loads(line)
            self.epoll.unregister(commands)
            done = self.connect(order["to"]) if order["do"] == "connect" else self.come_back(order["within"])
            self.epoll.register(commands, select.EPOLLIN)
            print(json.dumps(done), flush=True)

    def _turn(self, seconds: float) -> set[int]:
        now = time.monotonic()
        while self.due and self.due[0][0] <= now:
            self._dial(heapq.heappop(self.due)[2])
        wait = min(seconds, max(0.0, self.due[0][0] - now)) if self.due else seconds
        others = set()
        for number, mask in self.epoll.poll(wait, 4096):
            client = self.by_fd.get(number)
            if client is None:
                others.add(number)
            elif client.state == "connecting":
                self._ask(client, mask)
            else:
                self._read(client)
        return others

    def _dial(self, client: Client) -> None:
        self.tries += 1
        client.sock = socket.socket()
        client.sock.setblocking(False)
        client.head, client.state = b"", "connecting"
        try:
            client.sock.connect(self.address)
        except BlockingIOError:
            pass
        except OSError:
            self._lose(client)
            return
        self.by_fd[client.sock.fileno()] = client
        self.epoll.register(client.sock.fileno(), select.EPOLLOUT)

    def _ask(self, client: Client, mask: int) -> None:
        assert client.sock is not None
        if mask & (select.EPOLLERR | select.EPOLLHUP):
            self._lose(client)
            return
        head = (
            "GET /ws/notifications?format=json HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{self.address[1]}\r\nOrigin: http://127.0.0.1:{self.address[1]}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Sec-WebSocket-Version: 13\r\nUser-Agent: crowd\r\nCookie: {client.cookie}\r\n\r\n"
        )
        try:
            client.sock.sendall(head.encode())
        except OSError:
            self._lose(client)
            return
        client.state = "asked"
        self.epoll.modify(client.sock.fileno(), select.EPOLLIN)

    def _read(self, client: Client) -> None:
        assert client.sock is not None
        try:
            data = client.sock.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose(client)
        elif client.state == "open":
            if PING in data:
                client.sock.send(PONG)
        else:
            client.head += data
            if client.head.startswith(b"HTTP/1.1 503"):
                self.refused += 1
                self._lose(client)
            elif GREETING in client.head:
                client.head, client.state, client.attempt = b"", "open", 0
                client.greeted = time.monotonic()
                self.open += 1

    def _lose(self, client: Client) -> None:
        """The line is gone: try again, later each time, and not all at once (hx-ws)."""
        assert client.sock is not None
        if client.state == "open":
            self.open -= 1
        self.by_fd.pop(client.sock.fileno(), None)
        client.sock.close()
        client.sock, client.state = None, "away"
        client.attempt += 1
        delay = min(DELAY_SECONDS * 2 ** (client.attempt - 1), LONGEST_SECONDS)
        delay *= 1 + JITTER * random.uniform(-1, 1)
        heapq.heappush(self.due, (time.monotonic() + delay, id(client), client))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("--cookies", type=Path, required=True, help="a file with one Cookie header per line")
    given = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    Returning(given.port, given.cookies.read_text().splitlines()).serve()


if __name__ == "__main__":
    main()
