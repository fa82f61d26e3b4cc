"""Meddler: an HTTP proxy of the test's own that refuses WebSockets, and may keep streams back until they end."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

from servers import free_port

CHUNK = 65_536
REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
UPGRADE = b"upgrade: websocket"
STREAM = b"/api/notifications/stream"


class Meddler:
    """Passes bytes on between `port` and a server's port, as a corporate proxy does.

    >>> with Meddler(site.port, buffers=True) as proxy:  # doctest: +SKIP
    ...     page.goto(f"{proxy.url}/dashboard")
    """

    def __init__(self, target: int = 0, *, buffers: bool = False) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.refuses = True
        self.refused = 0  # WebSockets
        self.streams = 0  # that were asked for
        self.target = target
        self._buffers = buffers
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)

    def __enter__(self) -> Meddler:
        threading.Thread(target=self._listen, daemon=True, name="meddler").start()
        return self

    def __exit__(self, *details: Any) -> None:
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target))
                except OSError:  # it is down
                    client.close()
                    continue
                self._sockets += [client, server]
                held = threading.Event()
                for work in (self._ask, self._answer):
                    threading.Thread(target=work, args=(client, server, held), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, held: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while chunk := client.recv(CHUNK):
                if self.refuses and UPGRADE in chunk.lower():
                    self.refused += 1
                    client.sendall(REFUSAL)
                    break
                if STREAM in chunk:
                    self.streams += 1
                    if self._buffers:
                        held.set()
                server.sendall(chunk)
        self._end(client, server)

    def _answer(self, client: socket.socket, server: socket.socket, held: threading.Event) -> None:
        kept = b""
        with contextlib.suppress(OSError):
            while chunk := server.recv(CHUNK):
                if held.is_set():
                    kept += chunk
                else:
                    client.sendall(chunk)
            client.sendall(kept)
        self._end(client, server)

    def _end(self, *both: socket.socket) -> None:
        for each in both:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
