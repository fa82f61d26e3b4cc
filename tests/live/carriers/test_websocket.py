"""WebSocket: the upgrade through flask-sock, and frames from clients that may be broken or hostile."""

import base64
import itertools
import socket
import struct
import threading
import time

import flask_sock
import pytest
import simple_websocket
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from pair import WAIT_SECONDS, Client, json_format, make_pair
from wsproto.frame_protocol import FrameProtocol

from notiway.live.carriers import websocket
from notiway.live.carriers.parking import take_socket
from notiway.live.carriers.websocket import UPGRADE_FLAG, Upgrade, WebSocketTransport
from notiway.live.state import State
from notiway.values.close_codes import CloseCode

LIMIT = 1_024
TEXT, BINARY, MORE, CLOSING, PING, PONG = 1, 2, 0, 8, 9, 10
KEY = b"\x01\x02\x03\x04"


def frame(payload=b"", opcode=TEXT, fin=True, masked=True, rsv=0, length=None):
    """A client's frame, as broken as one likes."""
    length = len(payload) if length is None else length
    head = bytes([fin << 7 | rsv << 4 | opcode])
    mask_bit = masked << 7
    if length < 126:
        head += bytes([mask_bit | length])
    elif length < 65_536:
        head += bytes([mask_bit | 126]) + struct.pack("!H", length)
    else:
        head += bytes([mask_bit | 127]) + struct.pack("!Q", length)
    if not masked:
        return head + payload
    return head + KEY + bytes(byte ^ mask for byte, mask in zip(payload, itertools.cycle(KEY), strict=False))


class Talk:
    """A connection whose transport writes down the messages that it takes."""

    def __init__(self):
        self.messages = []
        self.connection, self.client = make_pair(json_format(lambda each, text: self.messages.append(text), LIMIT))
        self.connection.release([])

    def receive(self, data):
        self.connection.format.transport.receive(self.connection, data)

    def closed_with(self):
        assert self.connection.state is not State.OPEN
        (last,) = self.client.read_all()[-1:]
        return last[1]

    def end(self):
        self.connection.lost()
        self.client.close()


@pytest.fixture
def talk():
    made = Talk()
    yield made
    made.end()


# What clients send


def test_a_message_is_taken(talk):
    talk.receive(frame("hällo 🔔".encode()))
    assert talk.messages == ["hällo 🔔"]


def test_several_messages_in_one_read_are_taken_in_order(talk):
    talk.receive(b"".join(frame(b"%d" % number) for number in range(50)))
    assert talk.messages == [str(number) for number in range(50)]


@given(st.text(max_size=100), st.data())
def test_however_a_message_is_cut_into_frames_and_reads_it_arrives_whole(text, data):
    talk = Talk()
    try:
        raw = text.encode()
        cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=4)))
        parts = [raw[start:end] for start, end in itertools.pairwise([0, *cuts, len(raw)])]
        sent = b""
        for number, part in enumerate(parts):
            sent += frame(part, TEXT if number == 0 else MORE, fin=number == len(parts) - 1) + frame(b"", PONG)
        step = data.draw(st.integers(1, 20))
        for start in range(0, len(sent), step):
            talk.receive(sent[start : start + step])
        assert talk.messages == [text]
        assert talk.connection.parser is None
        assert talk.connection.partial is None
    finally:
        talk.end()


def test_no_parser_is_kept_while_nothing_is_half_done(talk):
    talk.receive(frame(b"whole"))
    assert talk.connection.parser is None
    whole = frame(b"half")
    for byte in whole[:-1]:
        talk.receive(bytes([byte]))
        assert talk.connection.parser is not None
    talk.receive(whole[-1:])
    assert (talk.connection.parser, talk.messages) == (None, ["whole", "half"])
    talk.receive(frame(b"begun", fin=False))
    assert talk.connection.parser is not None
    talk.receive(frame(b"", MORE))
    assert (talk.connection.parser, talk.messages[-1]) == (None, "begun")


def test_a_ping_is_answered_even_in_the_middle_of_a_message(talk):
    talk.receive(frame(b"be", fin=False) + frame(b"are you there?", PING) + frame(b"gun", MORE))
    assert talk.client.read(1) == ["pong"]
    assert talk.client.raw.endswith(b"are you there?")
    assert talk.messages == ["begun"]


@pytest.mark.parametrize("payload", [b"", b"x", b"y" * 125])
def test_a_pong_is_no_message(talk, payload):
    talk.receive(frame(payload, PONG))
    assert talk.messages == []
    assert talk.connection.state is State.OPEN
    assert talk.connection.parser is None


def test_a_message_at_the_limit_is_taken(talk):
    talk.receive(frame(b"x" * LIMIT))
    assert talk.messages == ["x" * LIMIT]


WRONG = {
    "too big in one frame": (frame(b"x" * (LIMIT + 1)), 1009),
    "too big in bytes, not in characters": (frame("é".encode() * (LIMIT // 2 + 1)), 1009),
    "too big in fragments": (frame(b"x" * LIMIT, fin=False) + frame(b"x", MORE, fin=False), 1009),
    "announced as huge": (frame(b"x" * (LIMIT + 1), length=2**40), 1009),
    "unmasked": (frame(b"hello", masked=False), 1002),
    "not UTF-8": (frame(b"\xff\xfe"), 1007),
    "cut in the middle of a character": (frame("é".encode()[:1]), 1007),
    "half a surrogate pair": (frame(b"\xed\xa0\x80"), 1007),
    "binary": (frame(b"\x00", BINARY), 1003),
    "binary in fragments": (frame(b"\x00", BINARY, fin=False), 1003),
    "an unknown opcode": (frame(b"", 3), 1002),
    "a reserved bit, as if compressed": (frame(b"x", rsv=4), 1002),
    "a continuation of nothing": (frame(b"x", MORE), 1002),
    "a second message inside the first": (frame(b"x", fin=False) + frame(b"y"), 1002),
    "a fragmented ping": (frame(b"x", PING, fin=False), 1002),
    "an overlong ping": (frame(b"x" * 126, PING), 1002),
    "a length with its highest bit": (b"\x81\xff" + b"\xff" * 8 + KEY, 1002),
    "a length longer than it needs to be": (b"\x81\xfe\x00\x05" + KEY + b"12345", 1002),
    "a close with one byte": (frame(b"\x03", CLOSING), 1002),
    "a close with a reserved code": (frame(struct.pack("!H", 1005), CLOSING), 1002),
    "a close with a reason that is not UTF-8": (frame(struct.pack("!H", 1000) + b"\xff", CLOSING), 1007),
}


@pytest.mark.parametrize(("data", "code"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("step", [1, 1_000_000], ids=["byte by byte", "at once"])
def test_what_breaks_the_rules_is_closed_with_its_code(talk, data, code, step):
    for start in range(0, len(data), step):
        talk.receive(data[start : start + step])
        if talk.connection.state is not State.OPEN:
            break
    assert talk.closed_with() == code
    assert talk.messages == []
    assert (talk.connection.parser, talk.connection.partial) == (None, None)


def test_what_follows_a_broken_frame_is_not_taken(talk):
    talk.receive(frame(b"good") + frame(b"bad", masked=False) + frame(b"late"))
    assert talk.messages == ["good"]


@pytest.mark.parametrize(
    ("payload", "answer"), [(struct.pack("!H", 1000) + b"bye", 1000), (struct.pack("!H", 4321), 4321)]
)
def test_a_close_is_answered_in_kind(talk, payload, answer):
    talk.receive(frame(payload, CLOSING))
    assert talk.closed_with() == answer


def test_a_close_without_a_code_is_answered_without_a_code(talk):
    talk.receive(frame(b"", CLOSING))
    assert talk.client.sock.recv(100) == b"\x88\x00"


def test_a_message_in_very_many_fragments_costs_no_more_than_their_number():
    """Adding up all fragments at each new one would take minutes of the reactor."""
    taken = []
    transport = WebSocketTransport(lambda each, text: taken.append(len(text)), 100_000)
    connection, client = make_pair(json_format())
    connection.release([])
    data = frame(b"x", fin=False) + frame(b"x", MORE, fin=False) * 40_000 + frame(b"", MORE)
    began = time.process_time()
    transport.receive(connection, data)
    assert taken == [40_001]
    assert time.process_time() - began < 20
    connection.lost()
    client.close()


def test_empty_fragments_without_end_take_no_memory(talk):
    talk.receive(frame(b"", fin=False) + frame(b"", MORE, fin=False) * 2_000)
    assert len(talk.connection.partial) == 0


# What we send


@pytest.mark.parametrize("text", ["", "x", "x" * 125, "x" * 126, "é" * 40_000])
def test_a_frame_is_whole_unmasked_and_text(text):
    data = WebSocketTransport(lambda *_: None, LIMIT).encode(text)
    reader = FrameProtocol(client=True, extensions=[])
    reader.receive_bytes(data)
    (got,) = [one for one in reader.received_frames() if one]
    assert (got.payload, got.message_finished) == (text, True)
    assert not data[1] & 0x80


def test_a_reason_fits_its_frame_however_long():
    data = WebSocketTransport(lambda *_: None, LIMIT).farewell(CloseCode.TOO_SLOW, "é" * 500)
    assert data[:1] == b"\x88"
    assert data[1] <= 125
    data[4:].decode()


# The upgrade, through flask-sock: these fail when its inside, or simple-websocket's, changes


def handshake(extra=""):
    key = base64.b64encode(b"0123456789abcdef").decode()
    return {
        "HTTP_CONNECTION": "Upgrade",
        "HTTP_UPGRADE": "websocket",
        "HTTP_SEC_WEBSOCKET_VERSION": "13",
        "HTTP_SEC_WEBSOCKET_KEY": key,
        **({"HTTP_SEC_WEBSOCKET_EXTENSIONS": extra} if extra else {}),
    }


def upgrade(view, ours, theirs, extra="", flag=True):
    """Open a WebSocket on a small application in a thread, as werkzeug's server would; the answer's head."""
    app = Flask("upgrade")

    @app.before_request
    def mark():
        from flask import request

        if flag:
            request.environ[UPGRADE_FLAG] = True

    flask_sock.Sock(app).route("/ws")(view)
    environ = {**handshake(extra), "werkzeug.socket": ours}
    faults = []

    def call():
        try:
            app.test_client().get("/ws", environ_overrides=environ)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            faults.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    theirs.settimeout(WAIT_SECONDS)
    head = b""
    while b"\r\n\r\n" not in head:
        head += theirs.recv(1)
    return head.decode(), thread, faults


@pytest.fixture
def ends(monkeypatch):
    monkeypatch.setattr(flask_sock, "Server", flask_sock.Server)  # put back afterwards
    websocket.take_over_upgrades()
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def test_flask_sock_makes_our_upgrade_and_says_nothing_when_the_view_ends(ends):
    ours, theirs = ends
    seen = {}

    def view(ws):
        seen["kind"], seen["threads"] = type(ws), threading.active_count()
        sock, stays = take_socket(ws)
        seen["stays"] = stays
        sock.sendall(b"ours alone")
        sock.close()

    before = threading.active_count()
    head, thread, faults = upgrade(view, ours, theirs)
    thread.join(WAIT_SECONDS)
    ours.close()
    rest = b""
    while data := theirs.recv(1_000):
        rest += data
    assert head.startswith("HTTP/1.1 101")
    assert "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" not in head
    assert seen == {"kind": Upgrade, "threads": before + 1, "stays": True}
    assert rest == b"ours alone", "flask-sock's own close() must find the connection closed and stay silent"
    assert faults == []


@pytest.mark.parametrize(
    "offer",
    ["permessage-deflate", "permessage-deflate; client_max_window_bits", "x-webkit-deflate-frame, permessage-deflate"],
)
def test_compression_is_refused(ends, offer):
    head, thread, faults = upgrade(lambda ws: take_socket(ws)[0].close(), *ends, extra=offer)
    thread.join(WAIT_SECONDS)
    assert head.startswith("HTTP/1.1 101")
    assert "extension" not in head.lower()
    assert faults == []


def test_a_hosts_own_socket_is_as_it_was(ends):
    ours, theirs = ends
    kinds = []

    def view(ws):
        kinds.append(ws.thread)
        ws.send(ws.receive())

    _, thread, faults = upgrade(view, ours, theirs, flag=False)
    client = Client(theirs)
    client.send("echo")
    assert client.read(1) == ["echo"]
    thread.join(WAIT_SECONDS)
    assert isinstance(kinds[0], threading.Thread)
    theirs.close()
    kinds[0].join(WAIT_SECONDS)
    assert faults == []


def test_closing_a_connection_that_is_not_connected_is_what_flask_sock_swallows(ends):
    ours, _ = ends
    server = Upgrade({**handshake(), "werkzeug.socket": ours, UPGRADE_FLAG: True, "REQUEST_METHOD": "GET"})
    server.connected = False
    with pytest.raises(simple_websocket.ConnectionClosed):
        server.close()
    assert flask_sock.ConnectionClosed is simple_websocket.ConnectionClosed
