"""Relay: a TCP proxy of the test's own before a server, that can go away, fall silent and lead elsewhere."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import Any

from servers import free_port

CHUNK = 65_536


class Relay:
    """Passes bytes on between `port` and a server's port, in a thread of its own.

    >>> with Relay(5432) as relay:  # doctest: +SKIP
    ...     relay.lead_to(5433)  # connections are cut, the next ones go there
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.target = target
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._listener: socket.socket | None = None
        self._lock = threading.RLock()
        self._selector = selectors.DefaultSelector()
        self._over = threading.Event()
        self._is_silent = threading.Event()
        self._drops = threading.Event()
        self._stranded: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run, daemon=True, name="relay")

    def __enter__(self) -> Relay:
        self.start()
        self._thread.start()
        return self

    def __exit__(self, *details: Any) -> None:
        self._over.set()
        self._thread.join(10)
        self.stop()
        self._selector.close()

    def start(self) -> None:
        """Listen, as a server that is up."""
        listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        with self._lock:
            self._listener = listener
            self._selector.register(listener, selectors.EVENT_READ)

    def stop(self) -> None:
        """Refuse connections, and cut those that are open."""
        with self._lock:
            if self._listener is not None:
                self._selector.unregister(self._listener)
                self._listener.close()
                self._listener = None
            self.cut()

    def cut(self) -> None:
        """End all connections."""
        with self._lock:
            for each in list(self._pairs):
                self._close(each)
            while self._stranded:
                self._stranded.pop().close()

    def lead_to(self, target: int) -> None:
        """A failover: what is open is cut, and the next ones get to another server."""
        with self._lock:
            self.target = target
            self.cut()

    def fall_silent(self) -> None:
        """Pass nothing on, and end nothing: a partition after which TCP sends again what waited."""
        self._is_silent.set()

    def speak(self) -> None:
        self._is_silent.clear()

    def drop(self) -> None:
        """Swallow what is said, and answer no new connection: a partition that outlives what TCP sends again."""
        self._drops.set()

    def heal(self) -> None:
        """Pass on again; the connections from which bytes are missing are cut."""
        self._drops.clear()
        self.cut()

    def _run(self) -> None:
        while not self._over.is_set():
            if self._is_silent.is_set():
                self._over.wait(0.02)
                continue
            for key, _ in self._selector.select(0.05):
                with self._lock, contextlib.suppress(OSError, KeyError, ValueError):
                    self._serve(key.fileobj)

    def _serve(self, ready: Any) -> None:
        if ready is self._listener:
            self._accept(ready)
            return
        other = self._pairs.get(ready)
        if other is None:
            return
        try:
            chunk = ready.recv(CHUNK)
            if chunk and self._drops.is_set():
                return
            if chunk:
                other.sendall(chunk)
                return
        except OSError:
            pass
        self._close(ready)

    def _accept(self, listener: socket.socket) -> None:
        client, _ = listener.accept()
        if self._drops.is_set():
            self._stranded.append(client)
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 5)
        except OSError:
            client.close()
            return
        for one, other in ((client, server), (server, client)):
            one.settimeout(30)
            self._pairs[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _close(self, one: socket.socket) -> None:
        other = self._pairs.pop(one, None)
        if other is None:
            return
        self._pairs.pop(other, None)
        for each in (one, other):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(each)
            each.close()
