"""Crowd: many WebSockets at one node, read in one thread, which counts the notifications that they are told."""

from __future__ import annotations

import base64
import os
import select
import socket
import threading
from collections.abc import Sequence

from servers import wait_until

SIGN = b'"event":"notification"'
READ_BYTES = 1 << 18
LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 120.0


class Crowd:
    """A connection for each client token; `heard` counts for all of them."""

    def __init__(self, port: int, tokens: Sequence[str]) -> None:
        self.heard = 0
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._rest: dict[int, bytes] = {}
        for token in tokens:
            self._open(port, token)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._sockets)

    def wait_for(self, count: int) -> None:
        """Until they have been told so many in all."""
        wait_until(lambda: self.heard >= count, PATIENCE_SECONDS)

    def close(self) -> None:
        self._is_over.set()
        self._thread.join()
        for each in self._sockets.values():
            each.close()
        self._poll.close()

    def _open(self, port: int, token: str) -> None:
        client = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        key = base64.b64encode(os.urandom(16)).decode()
        client.sendall(
            f"GET /ws/notifications?access_token={token} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        said = b""
        while b'"event":"connected"' not in said:
            said += (more := client.recv(READ_BYTES))
            assert more, said
        client.setblocking(False)
        self._sockets[client.fileno()] = client
        self._rest[client.fileno()] = b""
        self._poll.register(client.fileno(), select.EPOLLIN)

    def _read(self) -> None:
        while not self._is_over.is_set():
            for number, _ in self._poll.poll(LOOK_SECONDS):
                more = self._sockets[number].recv(READ_BYTES)
                if not more:
                    self._poll.unregister(number)
                    continue
                said = self._rest[number] + more
                self.heard += said.count(SIGN)
                cut = said.rfind(SIGN)
                # What may be the beginning of the next sign stays, without one that was counted.
                self._rest[number] = said[max(cut + len(SIGN) if cut >= 0 else 0, len(said) - len(SIGN) + 1) :]
