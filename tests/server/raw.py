"""A socket whose frames are made by hand, to send what no library would (RFC 6455 §5.2)."""

import socket
import struct
from collections import deque
from contextlib import contextmanager

from websockets.frames import Close, Opcode
from websockets.protocol import CLIENT, Protocol

from server.talk import PATIENCE_SECONDS

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MASK = b"\x01\x02\x03\x04"
READ_BYTES = 65536


def frame(payload=b"", opcode=Opcode.TEXT, fin=True, masked=True, reserved=0, announced=None):
    """The bytes of one frame; `announced` is a length other than the payload's."""
    if isinstance(payload, str):
        payload = payload.encode()
    length = len(payload) if announced is None else announced
    mask_bit = 0x80 if masked else 0
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    if length < 126:
        head += bytes([mask_bit | length])
    elif length < 65536:
        head += struct.pack("!BH", mask_bit | 126, length)
    else:
        head += struct.pack("!BQ", mask_bit | 127, length)
    if not masked:
        return head + payload
    return head + MASK + bytes(byte ^ MASK[place % 4] for place, byte in enumerate(payload))


class RawClient:
    """Sends bytes; what comes back is parsed by `websockets`."""

    def __init__(self, stream, rest):
        self.stream = stream
        self.protocol = Protocol(CLIENT, max_size=None)
        self.protocol.receive_data(rest)
        self.waiting = deque()

    def send(self, data):
        self.stream.sendall(data)

    def frames(self):
        """Every frame until the server ends the connection."""
        while True:
            self.waiting.extend(self.protocol.events_received())
            while self.waiting:
                yield self.waiting.popleft()
            try:
                data = self.stream.recv(READ_BYTES)
            except ConnectionResetError:
                return
            if not data:
                return
            self.protocol.receive_data(data)

    def text(self):
        """The next text."""
        return next(each.data.decode() for each in self.frames() if each.opcode is Opcode.TEXT)

    def close_code(self):
        """Read to the end; the code of the close frame, or None if the connection was just dropped."""
        codes = [Close.parse(each.data).code for each in self.frames() if each.opcode is Opcode.CLOSE]
        return codes[0] if codes else None


@contextmanager
def raw(visitor, query="", **headers):
    """A connection with a finished handshake, that has heard `connected` already."""
    with upgrade(visitor.site, query, Cookie=visitor.cookie, **headers) as (status, client):
        assert status == 101
        assert '"connected"' in client.text()
        yield client


def trickle(site, path, headers, length=1_000):
    """Begin a request whose body never ends; the socket."""
    stream = socket.create_connection(("127.0.0.1", site.port), PATIENCE_SECONDS)
    head = {"Host": f"127.0.0.1:{site.port}", "Content-Type": "application/json", "Content-Length": length, **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    stream.sendall(f"POST {path} HTTP/1.1\r\n{lines}\r\n{{".encode())
    stream.settimeout(60)
    return stream


@contextmanager
def upgrade(site, query="", **headers):
    """A handshake by hand; the status of the answer and a RawClient."""
    lines = {"Host": f"127.0.0.1:{site.port}", "Upgrade": "websocket", "Connection": "Upgrade"}
    lines |= {"Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": "13"} | headers
    request = f"GET /ws/notifications{query} HTTP/1.1\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in lines.items() if value is not None
    )
    with socket.create_connection(("127.0.0.1", site.port), PATIENCE_SECONDS) as stream:
        stream.sendall(request.encode() + b"\r\n")
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = stream.recv(READ_BYTES)
            assert data, answer
            answer += data
        head, _, rest = answer.partition(b"\r\n\r\n")
        yield int(head.split()[1]), RawClient(stream, rest)
