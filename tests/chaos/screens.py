"""Screens: a client of each wire, which resumes as the reference tells it."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import requests
from clients.wires import HANDSHAKE, PING, RECORD_SEPARATOR, Hub, Stream
from serving import Site
from websockets.exceptions import ConnectionClosed

from chaos.ledger import Ledger
from chaos.screen import LINE_SECONDS, SETTLE_SECONDS, Screen, Told
from chaos.stored import read_store

WIRES = ("json", "html", "sse", "signalr")
ROW = re.compile(r'data-notiway-id="([^"]+)".*?aria-label="Select: ([^"]+)"', re.S)
PING_SECONDS = 10.0  # a hub lets a client go that is silent for 30
PAGE = 200


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
    """`/hub?since=` with the last id it was told; items are known by audience and id."""

    wire = "signalr"
    last_id = ""

    def _messages(self) -> Told:
        url = f"{self.site.url}/hub/negotiate?negotiateVersion=1&access_token={self.token}"
        answer = requests.post(url, timeout=LINE_SECONDS)
        if not answer.ok:
            raise EOFError
        with self._socket("/hub", id=answer.json()["connectionToken"], since=self.last_id) as line:
            hub = PatientHub(line)
            hub.send(HANDSHAKE)
            hub.raw()
            self._connected()
            hub.keep_alive()
            while True:
                call = hub.hear()
                if call.get("type") == 1 and "body" in call["arguments"][0]:
                    item = call["arguments"][0]
                    self.last_id = item["id"]
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
    read_store(site, ledger)
    deadline = time.monotonic() + seconds
    while not ledger.is_complete() and time.monotonic() < deadline:
        time.sleep(0.02)
        read_store(site, ledger)
