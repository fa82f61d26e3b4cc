"""Screen: a client that stays, comes back when the line breaks, and resumes from what it was told."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from servers import wait_until
from serving import Site
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from chaos.ledger import Ledger

FINAL_CODES = (1008, 4001, 4008, 4009)  # docs/reference/websocket.md: do not come back
RETRY_SECONDS = (0.05, 0.2)  # docs say seconds; a test has no such time
LINE_SECONDS = 20.0  # without a word: a line that is dead without an end
SETTLE_SECONDS = float(os.environ.get("CHAOS_SETTLE_SECONDS", "20"))
Told = Iterator[tuple[str, str]]


class Screen:
    """One client that stays open in a thread of its own, whatever happens to the line.

    `blink` cuts the line; until `wake` it stays away. What it was told goes to the ledger. `away` are the seconds from
    each end of a line to the next greeting.
    """

    wire = ""
    retry_seconds = RETRY_SECONDS

    def __init__(self, site: Site, ledger: Ledger, token: str, label: str = "") -> None:
        self.site, self.ledger, self.token = site, ledger, token
        self.label = label or self.wire
        self.newest = ""
        self.connects = 0
        self.away: list[float] = []
        self.last_code: int | None = None  # of the server's last goodbye
        self.is_live = threading.Event()
        self.has_heard: set[str] = set()
        self._over = threading.Event()
        self._awake = threading.Event()
        self._awake.set()
        self._line: Any = None
        self._lost_at: float | None = None
        ledger.screens[self.label]  # a screen that hears nothing counts too
        self._thread = threading.Thread(target=self._stay, daemon=True, name=f"screen {self.label}")

    def start(self) -> Screen:
        self._thread.start()
        return self

    def wait_until_live(self) -> None:
        assert self.is_live.wait(SETTLE_SECONDS), f"{self.label} did not connect; last close code {self.last_code}"

    def blink(self) -> None:
        """Cut the line without a goodbye, and stay away."""
        self._awake.clear()
        self._cut()
        wait_until(lambda: not self.is_live.is_set())
        self._lost_at = None  # it stays away because it was asked to

    def wake(self) -> None:
        self._awake.set()
        self.wait_until_live()

    def close(self) -> None:
        self._over.set()
        self._awake.set()
        self._cut()
        self._thread.join(SETTLE_SECONDS)

    def _stay(self) -> None:
        while not self._over.is_set():
            self._awake.wait()
            if self._over.is_set():
                return
            # What a dying server may do to a client; anything else ends the thread and fails the test.
            with contextlib.suppress(OSError, EOFError, ConnectionClosed, InvalidHandshake, http.client.HTTPException):
                self._one_line()
            if self.is_live.is_set():
                self._lost_at = time.monotonic()
            self.is_live.clear()
            self._over.wait(random.uniform(*self.retry_seconds))

    def _one_line(self) -> None:
        try:
            for message_id, mark in self._messages():
                self.has_heard.add(mark)
                self.ledger.note_heard(self.label, mark, message_id)
                if message_id > self.newest:
                    self.newest = message_id
        except ConnectionClosed as closed:
            self.last_code = closed.rcvd.code if closed.rcvd else self.last_code
            if self.last_code in FINAL_CODES:
                self._over.set()
            raise
        finally:
            self._cut()

    def _connected(self) -> None:
        self.connects += 1
        if self._lost_at is not None:
            self.away.append(time.monotonic() - self._lost_at)
            self.ledger.note_away(self.away[-1])
            self._lost_at = None
        self.is_live.set()
        if not self._awake.is_set() or self._over.is_set():
            raise EOFError

    def _messages(self) -> Told:
        raise NotImplementedError

    def _cut(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            with contextlib.suppress(OSError):  # the thread that reads it closes it
                line.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def _socket(self, path: str, **query: str) -> Iterator[ClientConnection]:
        url = f"ws://127.0.0.1:{self.site.port}{path}?{urlencode({'access_token': self.token, **query})}"
        with connect(url, proxy=None, close_timeout=0.1, max_queue=None, ping_interval=None, max_size=None) as opened:
            self._line = opened.socket
            yield opened
