"""Backlog: the bytes that wait for one client which is slower than what it is sent."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from time import monotonic

BURST_FACTOR = 16  # a client that is reading may fall behind by so many times its limit
STALL_SECONDS = 2.0  # one that took nothing for so long may not
BLOCKED = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Backlog:
    """Frames in order, each with its coalescing key.

    The first one is being written: it stays first and whole, and has no key. `bytes` wait behind it.
    """

    __slots__ = ("_frames", "bytes", "progress_at")

    def __init__(self, rest: bytes) -> None:
        self._frames: list[tuple[str | None, bytes]] = [(None, rest)]
        self.bytes = 0
        self.progress_at = monotonic()  # when the kernel last took something

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def total(self) -> int:
        """All bytes that wait, the frame that is being written included."""
        return self.bytes + len(self.first)

    @property
    def first(self) -> bytes:
        """What is left of the frame that is being written."""
        return self._frames[0][1] if self._frames else b""

    def add(self, data: bytes, key: str | None = None) -> None:
        """Append a frame; one that waits under the same key is superseded."""
        if key is not None:
            for index in range(len(self._frames) - 1, 0, -1):
                if self._frames[index][0] == key:
                    self.bytes -= len(self._frames.pop(index)[1])
        self._frames.append((key, data))
        self.bytes += len(data)

    def is_over(self, limit: int) -> bool:
        """Whether more waits than `limit` allows a client that stalls, or BURST_FACTOR times that one that reads."""
        if self.bytes <= limit:
            return False
        return self.bytes > limit * BURST_FACTOR or monotonic() - self.progress_at > STALL_SECONDS

    def write(self, send: Callable[[bytes], int]) -> bool:
        """Hand the socket what it takes; True when nothing is left. Raises `OSError` when the client is gone."""
        while self._frames:
            data = self.first
            try:
                sent = send(data)
            except BLOCKED:
                sent = 0
            if sent:
                self.progress_at = monotonic()
            if sent != len(data):
                self._frames[0] = (None, data[sent:])
                return False
            self._frames.pop(0)
            if self._frames:
                self.bytes -= len(self.first)
                self._frames[0] = (None, self.first)
        return True
