"""Arrivals: live connects wait in line, so that a crowd which comes back at once holds up nobody else.

Ten thousand clients that have lost their server dial again within seconds. To take them all at once would keep every
other request waiting until the last of them is in. In line each costs a socket and its request, which stays in the
kernel.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from notiway import metrics
from notiway.live.limits.bucket import Bucket
from notiway.live.limits.gate import CROWDED, LONGEST_RETRY_SECONDS

TICK_SECONDS = 0.01  # between two looks at the line
BUSY_SECONDS = 0.015  # of CPU that the loop has used since the last look: others wait for as long, so fewer are let in
FEWER, MORE = 0.7, 1.0  # times as many at the next look; so many more
AT_ONCE = 20  # that are let in without a look, after a while with none
PATIENCE_SECONDS = 10.0  # the longest line: whoever would wait for longer is refused
END = b"\r\n\r\n"


def is_live(head: bytes) -> bool:
    """Whether the head of a request asks for a connection that stays open: a WebSocket, or a stream of events."""
    head = head.lower()
    return b"\r\nupgrade: websocket" in head or b"\r\naccept: text/event-stream" in head


class Arrivals:
    """The line, on gevent's event loop; `let_in` takes a socket and its address, at most `rate` of them a second."""

    def __init__(self, loop: Any, rate: float, let_in: Callable[[Any, Any], None], is_full: Callable[[], bool]) -> None:
        self._let_in, self._is_full = let_in, is_full
        self._line: deque[tuple[Any, Any]] = deque()
        self._longest = rate * PATIENCE_SECONDS
        self._most = max(1.0, rate * TICK_SECONDS)  # in one look
        self._some = self._most
        self._bucket = Bucket(rate, max(AT_ONCE, self._most), time.monotonic())
        self._timer: Any = loop.timer(TICK_SECONDS)
        self._used = (
            0.0  # of CPU when the line was last looked at: other processes that take the core count for nothing
        )

    def __len__(self) -> int:
        return len(self._line)

    def put(self, client: Any, address: Any) -> None:
        """Let somebody in, now or when others have been; refuse whoever would have to wait for too long."""
        if not self._line and not self._is_full() and self._bucket.take_if_there(1, time.monotonic()):
            self._let_in(client, address)
        elif len(self._line) < self._longest:
            self._line.append((client, address))
            metrics.CONNECTS_WAITING.set(len(self._line))
            if len(self._line) == 1:
                self._look_soon()
        else:
            refuse(client)

    def close(self) -> None:
        """Nobody is let in any more."""
        self._timer.stop()
        self._timer.close()
        while self._line:
            self._line.popleft()[0].close()
        metrics.CONNECTS_WAITING.set(0)

    def _look_soon(self) -> None:
        self._used = time.thread_time()
        self._timer.start(self._look)

    def _look(self) -> None:
        now = time.monotonic()
        is_busy = time.thread_time() - self._used > BUSY_SECONDS
        self._some = max(1.0, self._some * FEWER) if is_busy else min(self._most, self._some + MORE)
        for _ in range(int(self._some)):
            if not self._line or self._is_full() or not self._bucket.take_if_there(1, now):
                break
            client, address = self._line.popleft()
            if _has_left(client):
                client.close()
            else:
                self._let_in(client, address)
        metrics.CONNECTS_WAITING.set(len(self._line))
        if self._line:
            self._look_soon()


def refuse(client: Any) -> None:
    """Answer with 503 from outside gunicorn, and close: no greenlet, no parser, no application."""
    metrics.CONNECTS_REFUSED.inc()
    body = json.dumps({"error": {"code": "Unavailable", "message": CROWDED, "fields": []}}).encode()
    answer = (
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
        b"Connection: close\r\nRetry-After: %d\r\nContent-Length: %d\r\n\r\n%b"
    ) % (1 + secrets.randbelow(LONGEST_RETRY_SECONDS), len(body), body)
    with contextlib.suppress(OSError):
        client.setblocking(False)
        client.recv(1 << 16)  # what is not read would make the kernel take the answer back
        client.send(answer)
        client.shutdown(socket.SHUT_WR)
    client.close()


def _has_left(client: Any) -> bool:
    """Whether a client has ended its side while it waited."""
    try:
        return client.fileno() < 0 or bool(_poll(client.fileno()))
    except OSError:
        return True


def _poll(number: int) -> list[tuple[int, int]]:
    from gevent.monkey import get_original

    poll = get_original("select", "poll")()  # gevent's own would register with its loop
    poll.register(number, select.POLLRDHUP)
    found: list[tuple[int, int]] = poll.poll(0)
    return found
