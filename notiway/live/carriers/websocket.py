"""WebSocket: the upgrade through flask-sock, server frames encoded once, client frames through wsproto."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import flask_sock
import simple_websocket
from wsproto.frame_protocol import FrameProtocol, Opcode, ParseFailed
from wsproto.utilities import generate_accept_token

from notiway.live.connection import Connection
from notiway.live.state import State
from notiway.values.close_codes import CloseCode

LENGTH_16, LENGTH_64 = 126, 127  # the length follows in two bytes, in eight (RFC 6455 §5.2)
PONG_HEAD = b"\x8a\x80"  # a whole pong, masked and empty as our ping is (RFC 6455 §5.5.3)
PONG_BYTES = 6  # with the mask
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n"
)
CARRIERS = {"gunicorn.socket": "gunicorn", "werkzeug.socket": "werkzeug"}  # in the WSGI environ, and whose it is
UPGRADE_FLAG = "notiway.upgrade"  # in the WSGI environ: this handshake is ours


class _NoThread:
    """Stands where simple-websocket would start a receiving thread."""

    name = ""

    def __init__(self, target: object = None) -> None:
        del target

    def start(self) -> None:
        return None


class Upgrade(simple_websocket.Server):  # type: ignore[misc]
    """flask-sock's server object: as it was for a host's own sockets, handshake only for ours.

    Ours starts no thread, and refuses permessage-deflate, which costs 205 KB a connection, by not
    naming it (RFC 7692 §5: an extension that the server does not name is not used).
    """

    close_reason: int = CloseCode.NORMAL  # flask-sock asks when it finds ours not connected
    close_message = None

    def __init__(self, environ: dict[str, Any], *args: Any, **options: Any) -> None:
        carrier = next((name for name in CARRIERS if name in environ), None)
        if UPGRADE_FLAG not in environ:
            super().__init__(environ, *args, **options)
        elif carrier is None:
            super().__init__(environ, thread_class=_NoThread)
        else:
            # All that is left of simple-websocket for ours: it would make a parser and an event for each of them.
            self.environ, self.sock, self.mode = environ, environ[carrier], CARRIERS[carrier]
            self.handshake()

    def handshake(self) -> None:
        """Answer the opening handshake (RFC 6455 §4.2.2).

        For ours the route has checked version and key, and werkzeug's routing the two upgrade headers. To let wsproto
        parse the request a second time would double the cost of a connect.
        """
        if UPGRADE_FLAG not in self.environ:
            super().handshake()
            return
        token = generate_accept_token(self.environ["HTTP_SEC_WEBSOCKET_KEY"].strip().encode())
        self.sock.sendall(SWITCHING % token)
        self.connected = True


def take_over_upgrades() -> None:
    """Let flask-sock make `Upgrade` objects; it looks the class up in its module when a socket opens."""
    flask_sock.Server = Upgrade


class WebSocketTransport:
    """Text frames for browsers and libraries (RFC 6455). One object serves all connections."""

    answers = True
    is_impatient = False
    silence_seconds = 0.0

    def __init__(
        self,
        on_message: Callable[[Connection, str], None],
        message_limit: int,
        on_control: Callable[[Connection, int], None] | None = None,
    ) -> None:
        self._on_message = on_message
        self._on_control = on_control  # told how many frames came that are no messages
        self._limit = message_limit  # bytes
        self._frame_limit = message_limit
        self._ping = bytes(FrameProtocol(client=False, extensions=[]).ping())

    def encode(self, text: str) -> bytes:
        """One whole unmasked frame (RFC 6455 §5.2): the same bytes fit every socket."""
        payload = text.encode()
        size = len(payload)
        if size < LENGTH_16:
            return b"\x81%c%b" % (size, payload)
        if size < 1 << 16:
            return b"\x81%c%b%b" % (LENGTH_16, size.to_bytes(2, "big"), payload)
        return b"\x81%c%b%b" % (LENGTH_64, size.to_bytes(8, "big"), payload)

    def ping(self) -> bytes:
        return self._ping

    def farewell(self, code: int, reason: str) -> bytes:
        return bytes(FrameProtocol(client=False, extensions=[]).close(code, reason))

    def turn_away(self, connection: Connection, code: int, reason: str) -> None:
        """Close a connection that may not stay, at once."""
        connection.close(code, reason)

    def receive(self, connection: Connection, data: bytes) -> None:
        """Parse what came; a parser lives only while a frame or message is half done."""
        if connection.parser is None and len(data) == PONG_BYTES and data.startswith(PONG_HEAD):
            return  # the answer to our ping, all that most clients ever send
        parser = connection.parser or FrameProtocol(client=False, extensions=[])
        ping: bytes | None = None
        others = 0
        try:
            parser.receive_bytes(data)
            for frame in parser.received_frames():
                if frame.opcode is Opcode.PING:
                    ping = bytes(cast("bytes", frame.payload))
                if not self._take(connection, frame):
                    others += 1
                if connection.state is not State.OPEN:
                    return
            if ping is not None:
                # Of several pings the last is answered (RFC 6455 §5.5.3).
                connection.offer(bytes(FrameProtocol(client=False, extensions=[]).pong(ping)))
            if others and self._on_control is not None:
                self._on_control(connection, others)
        except ParseFailed as fault:
            connection.close(fault.code, str(fault)[:100])
            return
        finally:
            busy = connection.state is State.OPEN and (connection.partial is not None or _is_mid_frame(parser))
            connection.parser = parser if busy else None

    def _deliver(self, connection: Connection, text: str) -> None:
        self._on_message(connection, text)

    def _take(self, connection: Connection, frame: Any) -> bool:
        """Whether a message is complete."""
        if frame.opcode is Opcode.TEXT:
            # One buffer that grows: a message in ten thousand fragments costs no more than one in ten.
            message = connection.partial if connection.partial is not None else bytearray()
            message += cast("str", frame.payload).encode()
            if len(message) > self._frame_limit:
                connection.close(CloseCode.TOO_BIG, f"at most {self._frame_limit} bytes")
            elif frame.message_finished and frame.frame_finished:
                connection.partial = None
                self._deliver(connection, message.decode())
                return True
            else:
                connection.partial = message
        elif frame.opcode is Opcode.CLOSE:
            code, reason = frame.payload
            connection.close(code, reason or "")
        elif frame.opcode not in (Opcode.PING, Opcode.PONG):
            connection.close(CloseCode.UNSUPPORTED, "text only")
        return False


def _is_mid_frame(parser: FrameProtocol) -> bool:
    decoder = parser._frame_decoder
    return decoder.header is not None or len(decoder.buffer) > 0
