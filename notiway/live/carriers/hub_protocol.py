"""SignalR: transport and messages of the JSON hub protocol (SignalR HubProtocol and TransportProtocols)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from notiway.live.carriers.websocket import WebSocketTransport
from notiway.live.connection import Connection
from notiway.live.wires.signalr import CLOSE, COMPLETION, PING, SEPARATOR, message
from notiway.values.close_codes import CloseCode
from notiway.values.errors import WrongInput
from notiway.values.text import json_text

HANDSHAKE_SECONDS = 15
VERSIONS = (0, 1)  # signalrcore says the version of the negotiation, 0; other servers take it too
SILENCE_SECONDS = 30.0  # clients ping every 15 by themselves, whatever our own beat is
FRAME_MESSAGES = 32  # messages of the largest size in one frame
READY = "ready"  # Connection.stage after a good handshake
TURNED_AWAY = ": "  # in Connection.stage, between a close code and the reason for it
RECONNECT_CODES = (CloseCode.TRY_AGAIN, CloseCode.RESTARTING, CloseCode.TOO_SLOW)


class SignalRTransport(WebSocketTransport):
    """WebSocket text frames whose pings and goodbyes are the protocol's own messages."""

    is_impatient = True
    silence_seconds = SILENCE_SECONDS

    def __init__(
        self,
        on_message: Callable[[Connection, str], None],
        message_limit: int,
        on_control: Callable[[Connection, int], None] | None = None,
    ) -> None:
        super().__init__(on_message, message_limit, on_control)
        # @microsoft/signalr joins what waits into one frame; the limit is one of each message.
        self._frame_limit = message_limit * FRAME_MESSAGES

    def ping(self) -> bytes:
        return self.encode(message({"type": PING}))

    def _deliver(self, connection: Connection, text: str) -> None:
        """Each message by itself, so that each takes its turn and counts."""
        for part in _parts(text):
            if len(part.encode()) > self._limit:
                connection.close(CloseCode.TOO_BIG, f"at most {self._limit} bytes in a message")
                return
            self._on_message(connection, part)

    def turn_away(self, connection: Connection, code: int, reason: str) -> None:
        """Let the answer to the handshake say why: before it, clients take a Close for a fault of the server."""
        if is_ready(connection):
            connection.close(code, reason)
            return
        connection.stage = f"{code}{TURNED_AWAY}{reason}"

    def farewell(self, code: int, reason: str) -> bytes:
        """A Close message that says whether to come back, then the WebSocket's close frame."""
        values: dict[str, Any] = {"type": CLOSE, "allowReconnect": code in RECONNECT_CODES}
        if reason and code not in RECONNECT_CODES:
            values["error"] = reason
        return self.encode(message(values)) + super().farewell(code, reason)


def _parts(text: str) -> list[str]:
    """The messages of a frame, each with its separator; what is not the hub protocol stays as it is."""
    if not text.endswith(SEPARATOR):
        return [text]
    return [part + SEPARATOR for part in text[:-1].split(SEPARATOR)]


def split(text: str) -> list[dict[str, Any]]:
    """The messages of one frame; `WrongInput` if it is not the hub protocol."""
    if not text.endswith(SEPARATOR):
        raise WrongInput("every message must end with the record separator")
    messages = []
    for part in text[:-1].split(SEPARATOR):
        try:
            values = json_text.read_message(part)
        except ValueError:
            raise WrongInput("a message is not JSON") from None
        if not isinstance(values, dict):
            raise WrongInput("a message must be an object")
        messages.append(values)
    return messages


def handshake_fault(values: dict[str, Any]) -> str | None:
    """What is wrong with the first message, if anything."""
    if not isinstance(values.get("protocol"), str) or "type" in values:
        return "the first message must be a handshake"
    if values["protocol"] != "json":
        return f"the protocol {values['protocol'][:50]!r} is not offered, only json"
    if values.get("version") not in VERSIONS:
        return "only version 1 of the protocol is offered"
    return None


def completion(invocation_id: str, error: str | None = None) -> str:
    """The answer to an invocation."""
    values: dict[str, Any] = {"type": COMPLETION, "invocationId": invocation_id}
    if error is None:
        values["result"] = None
    else:
        values["error"] = error
    return message(values)


def turned_away(connection: Connection) -> tuple[int, str] | None:
    """The code and the reason with which a connection must end, if it was turned away."""
    code, parted, reason = connection.stage.partition(TURNED_AWAY)
    return (int(code), reason) if parted else None


def refuse_handshake(connection: Connection, reason: str, code: int = CloseCode.PROTOCOL_ERROR) -> None:
    """Answer the handshake with an error, and close; on the reactor."""
    connection.release([connection.format.transport.encode(message({"error": reason}))])
    connection.close(code, reason)


def give_up(connection: Connection) -> None:
    """End a connection whose client has not shaken hands in time; on the reactor."""
    refuse_handshake(connection, f"no handshake came within {HANDSHAKE_SECONDS} s")


def is_ready(connection: Connection) -> bool:
    """Whether the handshake is done."""
    return connection.stage == READY
