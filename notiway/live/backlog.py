"""Backlog: the bytes that wait for one client which is slower than what it is sent."""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol

from notiway.live import socket_room

LARGE_BYTES = 64 * 1024  # more than this that waits for a client which reads goes out through a larger buffer
STALL_SECONDS = 2.0  # a client that took nothing for so long has stalled
BLOCKED = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Ledger(Protocol):
    """Keeps count of the memory that waits for all clients together; clients share the frames of a fan-out."""

    def hold(self, data: bytes) -> None:
        """A client waits for this."""

    def let_go(self, data: bytes) -> None:
        """It waits for it no longer."""


class Backlog:
    """Frames in order, each with its coalescing key. The first one is being written: it stays first and whole.

    How much waits says nothing about the client, for the server may have had a lot to say. That the client takes
    nothing does.
    """

    __slots__ = ("_begun", "_by_key", "_first", "_frames", "_has_room", "_ledger", "progress_at", "total")

    def __init__(self, begun: bytes, ledger: Ledger | None, sent: int = 0) -> None:
        self._begun: bytes | None = begun  # in memory as a whole until its last byte is written
        self._first = memoryview(begun)[sent:]  # without a copy for each part that the kernel takes
        self._frames: deque[list[bytes]] = deque()  # one frame each, or nothing where it was superseded
        self._by_key: dict[str, list[bytes]] = {}
        self.total = len(self._first)  # bytes that wait
        self.progress_at = monotonic()  # when the kernel last took something
        self._ledger = ledger
        self._has_room = False
        self._hold(begun)

    def __len__(self) -> int:
        return bool(self._first) + sum(map(bool, self._frames))

    @property
    def first(self) -> bytes:
        """What is left of the frame that is being written."""
        return bytes(self._first)

    def add(self, data: bytes, key: str | None = None) -> None:
        """Append a frame; one that waits under the same key is superseded."""
        frame, size = [data], len(data)
        if key is not None:
            superseded = self._by_key.get(key)
            if superseded:
                old = superseded.pop()
                size -= len(old)
                self._let_go(old)
            self._by_key[key] = frame
        self._frames.append(frame)
        self.total += size
        self._hold(data)

    def has_stalled(self, limit: int) -> bool:
        """Whether more than `limit` bytes wait, and the client has taken none of them for STALL_SECONDS."""
        return self.total > limit and monotonic() - self.progress_at > STALL_SECONDS

    def discard(self) -> None:
        """It will never be written."""
        for frame in self._frames:
            for data in frame:
                self._let_go(data)
        self._finish_begun()
        self._ledger = None

    def write(self, send: Callable[[memoryview], int]) -> bool:
        """Hand the socket what it takes; True when nothing is left. Raises `OSError` when the client is gone."""
        while True:
            if self._first:
                try:
                    sent = send(self._first)
                except BLOCKED:
                    return False
                self.total -= sent
                if sent:
                    self.progress_at = monotonic()
                self._first = self._first[sent:]
                if self._first:
                    return False
            if not self._frames:
                self._finish_begun()
                return True
            frame = self._frames.popleft()
            if frame:
                # From now on it is being written: nothing may supersede it any more.
                self._finish_begun()
                self._begun = frame.pop()
                self._first = memoryview(self._begun)

    def flush(self, sock: Any, send: Callable[[memoryview], int]) -> bool:
        """`write`; while much waits for a client that reads it has more room in the kernel. A stalled one gets none."""
        is_done = self.write(send)
        needs_room = not is_done and (self._has_room or self.total > LARGE_BYTES)
        if needs_room is not self._has_room:
            self._has_room = needs_room
            socket_room.give(sock, socket_room.LARGE_BYTES if needs_room else socket_room.SMALL_BYTES)
        return is_done

    def _finish_begun(self) -> None:
        if self._begun is not None:
            self._let_go(self._begun)
            self._begun = None

    def _hold(self, data: bytes) -> None:
        if self._ledger is not None:
            self._ledger.hold(data)

    def _let_go(self, data: bytes) -> None:
        if self._ledger is not None:
            self._ledger.let_go(data)
