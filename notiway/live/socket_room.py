"""Socket room: how many bytes the kernel keeps for one client."""

from __future__ import annotations

import socket
from typing import Any

SMALL_BYTES = 32 * 1024  # a stalled reader then pins 53 KB of kernel memory instead of 2.8 MB
LARGE_BYTES = 512 * 1024  # for a client that reads much: 32 KiB at a time take as many rounds through the reactor
FAREWELL_BYTES = 256 * 1024  # for the rest of a frame and the close frame


def prepare(sock: Any) -> None:
    """Make a socket one that never blocks, sends small frames at once, and has little room."""
    sock.setblocking(False)
    give(sock, SMALL_BYTES)
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def give(sock: Any, size: int) -> None:
    """Give a socket so much room, in bytes; `OSError` if it is gone."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
