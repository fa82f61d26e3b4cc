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
