"""Pair: one of our connections with the client at its other end, on a socketpair with small buffers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any

from wsproto.frame_protocol import FrameProtocol, Opcode

from notiway.live.carriers.websocket import WebSocketTransport
from notiway.live.connection import Connection
from notiway.live.delivery.format import Format
from notiway.live.hub import Hub
from notiway.live.reactor import Reactor
from notiway.live.wires.json import JsonWire
from notiway.values.event import Event
from notiway.values.item import Item

SMALL_BUFFER = 4 * 1024  # bytes; the kernel doubles it
WAIT_SECONDS = 10


def item(number: int, **values: Any) -> dict[str, Any]:
    """An item as an Event carries it."""
    return Item(f"id-{number}", "user:ada", "n", "info", "medium", "Hi", "x", 0, **values).as_dict()


def sync(unread: int, audience: str = "user:ada") -> Event:
    return Event("sync", audience, {"unread": unread})


def created(number: int, audience: str = "user:ada", **more: Any) -> Event:
    return Event("created", audience, {"notification": item(number), "position": number, **more})


def json_format(on_message: Callable[[Connection, str], None] | None = None, limit: int = 32 * 1024) -> Format:
    return Format(JsonWire(), WebSocketTransport(on_message or (lambda connection, text: None), limit))


class Client:
    """The other end: sends masked frames, reads whole frames."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(WAIT_SECONDS)
        self._protocol = FrameProtocol(client=True, extensions=[])
        self.raw = b""

    def send(self, text: str) -> None:
        self.sock.sendall(bytes(FrameProtocol(client=True, extensions=[]).send_data(text)))

    def read(self, count: int = 1) -> list[Any]:
        """The next frames' payloads: text, ("close", code), "ping" or "pong"; fewer when the stream ends."""
        found: list[Any] = []
        text = ""
        while len(found) < count:
            for frame in self._protocol.received_frames():
                if frame.opcode is Opcode.TEXT:
                    text += frame.payload
                    if frame.message_finished and frame.frame_finished:
                        found.append(text)
                        text = ""
                elif frame.opcode is Opcode.CLOSE:
                    found.append(("close", int(frame.payload[0])))
                else:
                    found.append(frame.opcode.name.lower())
                if len(found) == count:
                    return found
            data = self.sock.recv(65_536)
            if not data:
                return found
            self.raw += data
            self._protocol.receive_bytes(data)
        return found

    def read_all(self) -> list[Any]:
        """Every frame until the stream ends."""
        return self.read(1_000_000)

    def hears_nothing(self) -> bool:
        """Whether no byte is there; call it when everything before is done (`settle`)."""
        self.sock.setblocking(False)
        try:
            return not self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        finally:
            self.sock.settimeout(WAIT_SECONDS)

    def close(self) -> None:
        self.sock.close()


def make_pair(
    format: Format | None = None, connection_id: str = "c", limit: int = 64 * 1024, user_id: str | None = "ada"
) -> tuple[Connection, Client]:
    ours, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    connection = Connection(ours, format or json_format(), connection_id, limit, user_id)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
    return connection, Client(theirs)


def settle(reactor: Reactor) -> None:
    """Return when everything that was handed to the reactor before is done, its jobs too."""
    done = threading.Event()

    def look() -> None:
        if reactor._jobs:
            reactor.call_soon(look)
        else:
            done.set()

    reactor.call_soon(look)
    assert done.wait(WAIT_SECONDS)


def make_hub(reactor: Reactor, **options: Any) -> Hub:
    return Hub(reactor, **{"connections_per_user": 50, "heartbeat_seconds": 3600, **options})


def counts(client: Client, number: int) -> list[int]:
    """The unread counts in the next frames."""
    return [json.loads(text)["data"]["unreadCount"] for text in client.read(number)]


def ids(client: Client, number: int) -> list[str]:
    """The ids of the items in the next frames."""
    return [json.loads(text)["data"]["id"] for text in client.read(number)]
