"""Sockets: both ends of a simulated line, and the poll that watches the server's ends."""

from __future__ import annotations

import socket
from select import POLLIN, POLLOUT
from typing import Any


class Line:
    """The server's end, as a `Connection` uses it; `outgoing` is what the client has not read yet."""

    family = socket.AF_UNIX

    def __init__(self, fd: int, room: int, client: Any = None) -> None:
        self.fd = fd
        self.client = client
        self.replayed: set[str] = set()  # ids of items that went out in a replay
        self.room = room  # bytes that the kernels keep for a client which does not read
        self.outgoing = bytearray()
        self.incoming = bytearray()
        self.is_broken = False  # for both sides
        self.client_left = False
        self.server_left = False
        self._is_sized = False

    def fileno(self) -> int:
        return self.fd

    def setblocking(self, _: bool) -> None:
        return None

    def setsockopt(self, _: int, option: int, value: int) -> None:
        if option == socket.SO_SNDBUF and self._is_sized:
            self.room = value
        self._is_sized = True

    def send(self, data: Any) -> int:
        if self.is_broken or self.client_left:
            raise BrokenPipeError("the client is gone")
        room = self.room - len(self.outgoing)
        if room <= 0:
            raise BlockingIOError
        taken = min(room, len(data))
        self.outgoing += data[:taken]
        return taken

    def sendall(self, data: bytes) -> None:
        self.outgoing += data

    def recv(self, size: int) -> bytes:
        if self.is_broken:
            raise ConnectionResetError("the line is broken")
        if self.incoming:
            data = bytes(self.incoming[:size])
            del self.incoming[:size]
            return data
        if self.client_left:
            return b""
        raise BlockingIOError

    def shutdown(self, _: int) -> None:
        if self.is_broken:
            raise OSError("not connected")
        self.server_left = True

    def close(self) -> None:
        self.server_left = True

    def is_readable(self) -> bool:
        return self.is_broken or self.client_left or bool(self.incoming)

    def is_writable(self) -> bool:
        return self.is_broken or self.client_left or len(self.outgoing) < self.room


class Poll:
    """In place of epoll."""

    def __init__(self, lines: dict[int, Line]) -> None:
        self._lines = lines
        self._watched: dict[int, tuple[Line, int, int]] = {}  # the line, whether to read from it, whether to write

    def register(self, fd: int, mask: int) -> None:
        self._watched[fd] = self._lines[fd], mask & POLLIN, mask & POLLOUT

    modify = register

    def unregister(self, fd: int) -> None:
        del self._watched[fd]

    def has_news(self) -> bool:
        """Whether `poll` would tell anything."""
        for line, reads, writes in self._watched.values():
            if line.is_broken or line.client_left:
                if reads or writes:
                    return True
            elif (reads and line.incoming) or (writes and len(line.outgoing) < line.room):
                return True
        return False

    def poll(self, _: float) -> list[tuple[int, int]]:
        found = []
        for fd, (line, reads, writes) in self._watched.items():
            if line.is_broken or line.client_left:
                mask = reads | writes
            else:
                mask = reads if line.incoming else 0
                if writes and len(line.outgoing) < line.room:
                    mask |= writes
            if mask:
                found.append((fd, mask))
        return found
