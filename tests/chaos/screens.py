"""Screens: clients of the four wires that stay, come back when the line breaks, and resume as the reference tells them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import requests
from clients.wires import HANDSHAKE, PING, RECORD_SEPARATOR, Hub, Stream
from servers import wait_until
from serving import Site
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from chaos.ledger import Ledger

WIRES = ("json", "html", "sse", "signalr")
FINAL_CODES = (1008, 4001, 4008, 4009)  # docs/reference/websocket.md: do not come back
ROW = re.compile(r'data-notiway-id="([^"]+)".*?aria-label="Select: ([^"]+)"', re.S)
RETRY_SECONDS = (0.05, 0.2)  # docs say seconds; a test has no such time
LINE_SECONDS = 20.0  # without a word: a line that is dead without an end
PING_SECONDS = 10.0  # a hub lets a client go that is silent for 30
SETTLE_SECONDS = float(os.environ.get("CHAOS_SETTLE_SECONDS", "20"))
PAGE = 200
Told = Iterator[tuple[str, str]]


class Screen:
    """One client that stays open in a thread of its own, whatever happens to the line.

    `blink` cuts the line; until `wake` it stays away. What it was told goes to the ledger.
    """

    wire = ""

    def __init__(self, site: Site, ledger: Ledger, token: str, label: str = "") -> None:
        self.site, self.ledger, self.token = site, ledger, token
        self.label = label or self.wire
        self.newest = ""
        self.connects = 0
        self.last_code: int | None = None
        self.is_live = threading.Event()
        self.has_heard: set[str] = set()
        self._over = threading.Event()
        self._awake = threading.Event()
        self._awake.set()
        self._line: Any = None
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
            self.is_live.clear()
            self._over.wait(random.uniform(*RETRY_SECONDS))

    def _one_line(self) -> None:
        try:
            for message_id, mark in self._messages():
                self.has_heard.add(mark)
                self.ledger.note_heard(self.label, mark, message_id)
                if message_id > self.newest:
                    self.newest = message_id
        except ConnectionClosed as closed:
            self.last_code = closed.rcvd.code if closed.rcvd else None
            if self.last_code in FINAL_CODES:
                self._over.set()
            raise
        finally:
            self._cut()

    def _connected(self) -> None:
        self.connects += 1
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


class JsonScreen(Screen):
    """`?since=` with the newest id it was told."""

    wire = "json"

    def _messages(self) -> Told:
        with self._socket("/ws/notifications", since=self.newest) as line:
            for text in line:
                message = json.loads(text)
                if message["event"] == "connected":
                    self._connected()
                elif message["event"] == "notification":
                    yield message["data"]["id"], message["data"]["title"]


class HtmlScreen(Screen):
    """What the bell does: the same, for rows of a list."""

    wire = "html"

    def _messages(self) -> Told:
        with self._socket("/ws/notifications", format="html", since=self.newest) as line:
            for number, text in enumerate(line):
                if number == 0:
                    self._connected()
                yield from ROW.findall(text)


class SseScreen(Screen):
    """`EventSource`: `Last-Event-ID` is the last id it was given; at `reset` it loads the list anew."""

    wire = "sse"
    last_event_id = ""

    def _messages(self) -> Told:
        line = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=LINE_SECONDS)
        headers = {"Last-Event-ID": self.last_event_id} if self.last_event_id else {}
        try:
            line.request("GET", f"/api/notifications/stream?access_token={self.token}", headers=headers)
            self._line = line.sock
            line.sock.settimeout(None)  # were it given up after a while, coming back would hide what was lost
            with line.getresponse() as answer:
                if answer.status != 200:
                    raise EOFError
                yield from self._events(Stream(answer))
        finally:
            line.close()

    def _events(self, stream: Stream) -> Told:
        is_new = not self.last_event_id
        while True:
            fields = stream.event()
            name = fields.get("event")
            self.last_event_id = fields.get("id") or self.last_event_id
            if name == "connected":
                self._connected()
            elif name == "notification":
                yield fields.get("id", ""), json.loads(fields["data"])["title"]
            elif name == "reset":
                self.ledger.note_reset()
                yield from self._list()
            if is_new and name == "unread":
                yield from self._list()  # without an id nothing is replayed: load the list first
                is_new = False

    def _list(self) -> Told:
        since: str | None = ""
        while since is not None:
            parameters = {"access_token": self.token, "since": since, "limit": PAGE}
            answer = requests.get(f"{self.site.url}/api/notifications", parameters, timeout=LINE_SECONDS)
            if not answer.ok:
                raise EOFError
            page = answer.json()
            yield from ((each["id"], each["title"]) for each in page["notifications"])
            since = page["nextCursor"]


class PatientHub(Hub):
    """A Hub that waits without end, and pings as clients do: coming back would hide what was lost."""

    def keep_alive(self) -> None:
        threading.Thread(target=self._ping, daemon=True).start()

    def _ping(self) -> None:
        with contextlib.suppress(ConnectionClosed, OSError):
            while True:
                self.send({"type": PING})
                time.sleep(PING_SECONDS)

    def raw(self) -> Any:
        while not self._messages:
            self._messages = self.socket.recv()[:-1].split(RECORD_SEPARATOR)
        return json.loads(self._messages.pop(0))


class SignalrScreen(Screen):
    """What stands is replayed at each connection; items are known by audience and id."""

    wire = "signalr"

    def _messages(self) -> Told:
        url = f"{self.site.url}/hub/negotiate?negotiateVersion=1&access_token={self.token}"
        answer = requests.post(url, timeout=LINE_SECONDS)
        if not answer.ok:
            raise EOFError
        with self._socket("/hub", id=answer.json()["connectionToken"]) as line:
            hub = PatientHub(line)
            hub.send(HANDSHAKE)
            hub.raw()
            self._connected()
            hub.keep_alive()
            while True:
                call = hub.hear()
                if call.get("type") == 1 and "body" in call["arguments"][0]:
                    item = call["arguments"][0]
                    yield f"{item['audienceId']} {item['id']}", item["body"]["title"]
                elif call.get("type") == 7:
                    raise EOFError


KINDS: dict[str, type[Screen]] = {each.wire: each for each in (JsonScreen, HtmlScreen, SseScreen, SignalrScreen)}


@contextlib.contextmanager
def screens(site: Site, ledger: Ledger, token: str, *wires: str, apart: bool = False) -> Iterator[list[Screen]]:
    """A live screen of each wire (or of those that are named) of one user; closed at the end.

    `apart` counts each screen by itself, which several of one wire need.
    """
    opened = [
        KINDS[wire](site, ledger, token, f"{wire} {number}" if apart else wire).start()
        for number, wire in enumerate(wires or WIRES)
    ]
    try:
        for screen in opened:
            screen.wait_until_live()
        yield opened
    finally:
        for screen in opened:
            screen.close()


def settle(site: Site, ledger: Ledger, seconds: float = SETTLE_SECONDS) -> None:
    """Read what is stored, and give every screen time to hear it all; what is missing then is lost."""
    ledger.read_store(site.folder / "notiway.db")
    deadline = time.monotonic() + seconds
    while not ledger.is_complete() and time.monotonic() < deadline:
        time.sleep(0.02)
        ledger.read_store(site.folder / "notiway.db")
