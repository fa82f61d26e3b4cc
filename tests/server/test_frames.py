"""Frames that break the rules end their own connection with the right code, and nobody else's."""

import json
import random

import pytest
from websockets.frames import Opcode

from server.raw import KEY, frame, raw, upgrade
from server.talk import Listener, listen, open_socket

LIMIT = 32 * 1024  # NOTIWAY_MAX_MESSAGE_BYTES
PING = json.dumps({"action": "ping"})


@pytest.fixture
def client(ada):
    with raw(ada) as client:
        yield client


BROKEN = {
    "too big": (frame(b" " * (LIMIT + 1)), 1009),
    "too big in bytes, not in characters": (frame("é" * (LIMIT // 2 + 1)), 1009),
    "announced as 2 GB": (frame(b" " * (LIMIT + 1), announced=2**31), 1009),
    "too big in many pieces": (
        frame(b" " * 1000, fin=False) + frame(b" " * 1000, Opcode.CONT, fin=False) * 40,
        1009,
    ),
    "unmasked": (frame(PING, masked=False), 1002),
    "not UTF-8": (frame(b'{"action": "\xff\xfe"}'), 1007),
    "cut in the middle of a character": (frame("é".encode()[:1]), 1007),
    "binary": (frame(b"\x00\x01", Opcode.BINARY), 1003),
    "the beginning of something binary": (frame(b"\x00\x01", Opcode.BINARY, fin=False), 1003),
    "a reserved bit, as if compressed": (frame(PING, reserved=4), 1002),
    "an opcode that does not exist": (frame(PING, opcode=3), 1002),
    "a continuation of nothing": (frame(PING, Opcode.CONT), 1002),
    "a second message within the first": (frame("{", fin=False) + frame(PING), 1002),
    "a ping in pieces": (frame(b"x", Opcode.PING, fin=False), 1002),
    "a ping of 126 bytes": (frame(b"x" * 126, Opcode.PING), 1002),
    "a close code of one byte": (frame(b"\x03", Opcode.CLOSE), 1002),
    "a close code nobody may send": (frame((1006).to_bytes(2, "big"), Opcode.CLOSE), 1002),
    "a close code below all": (frame((1).to_bytes(2, "big"), Opcode.CLOSE), 1002),
    "a close reason that is not UTF-8": (frame((1000).to_bytes(2, "big") + b"\xff", Opcode.CLOSE), 1007),
}


@pytest.mark.parametrize(("data", "code"), BROKEN.values(), ids=BROKEN)
def test_a_broken_frame_closes_its_connection_with_the_code_for_it(ada, data, code):
    with listen(ada) as neighbour, raw(ada) as client:
        client.send(data)
        assert client.close_code() == code
        assert neighbour.ask("ping")["event"] == "pong"


def test_the_largest_allowed_message_is_handled(client):
    client.send(frame(PING + " " * (LIMIT - len(PING))))
    assert json.loads(client.text())["event"] == "pong"


def test_a_message_may_come_in_fragments_with_a_ping_between_them(client):
    client.send(frame(PING[:5], fin=False) + frame(b"are you there?", Opcode.PING) + frame(b"", Opcode.CONT, fin=False))
    client.send(frame(PING[5:9], Opcode.CONT, fin=False) + frame(PING[9:], Opcode.CONT))
    heard = []
    for each in client.frames():
        heard.append(each)
        if each.opcode is Opcode.TEXT:
            break
    assert [each.opcode for each in heard] == [Opcode.PONG, Opcode.TEXT]
    assert heard[0].data == b"are you there?"
    assert json.loads(heard[1].data)["event"] == "pong"


def test_a_character_may_be_cut_by_a_fragment(client):
    text = json.dumps({"action": "é"}, ensure_ascii=False).encode()
    cut = text.index(b"\xc3") + 1
    client.send(frame(text[:cut], fin=False) + frame(text[cut:], Opcode.CONT))
    assert "é" in json.loads(client.text())["data"]["message"]


def test_many_empty_fragments_cost_nothing(client):
    client.send(frame(PING, fin=False))
    for _ in range(20):
        client.send(frame(b"", Opcode.CONT, fin=False) * 1000)
    client.send(frame(b"", Opcode.CONT))
    assert json.loads(client.text())["event"] == "pong"


def test_half_a_frame_is_waited_for_while_others_are_served(ada, client):
    data = frame(PING)
    with listen(ada) as neighbour:
        for place in range(len(data) - 1):
            client.send(data[place : place + 1])
            if place % 8 == 0:
                assert neighbour.ask("ping")["event"] == "pong"
        client.send(data[-1:])
        assert json.loads(client.text())["event"] == "pong"


def test_many_messages_in_one_packet_are_all_handled(client):
    client.send(frame(PING) * 50)
    assert [json.loads(client.text())["event"] for _ in range(50)] == ["pong"] * 50


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4000, 4999])
def test_a_clients_close_code_is_echoed(client, code):
    client.send(frame(code.to_bytes(2, "big") + b"bye", Opcode.CLOSE))
    assert client.close_code() == code


def test_a_close_without_a_code_is_answered_without_one(client):
    client.send(frame(b"", Opcode.CLOSE))
    assert [each.data for each in client.frames() if each.opcode is Opcode.CLOSE] == [b""]


def test_random_bytes_harm_nobody_else(ada):
    dice = random.Random(6455)
    with listen(ada) as neighbour:
        for _ in range(60):
            with raw(ada) as client:
                client.send(dice.randbytes(dice.randint(1, 300)))
                client.send(frame(b"\x03\xe8", Opcode.CLOSE))
        assert neighbour.ask("ping")["event"] == "pong"
    log = ada.site.log.read_text()
    assert "Traceback" not in log, log[-3000:]


def test_compression_is_not_agreed_to(ada):
    with open_socket(ada.site, ada.cookie, compression="deflate") as socket:
        assert "Sec-WebSocket-Extensions" in socket.request.headers
        assert "Sec-WebSocket-Extensions" not in socket.response.headers
        assert Listener(socket).hear_only("connected")


BAD_HANDSHAKES = {
    "another version": {"Sec-WebSocket-Version": "8"},
    "no version": {"Sec-WebSocket-Version": None},
    "no key": {"Sec-WebSocket-Key": None},
    "a short key": {"Sec-WebSocket-Key": "c2hvcnQ="},
    "a key that is no base64": {"Sec-WebSocket-Key": "&&&&&&&&"},
    "no upgrade": {"Connection": "keep-alive"},
    "another upgrade": {"Upgrade": "h2c"},
}


@pytest.mark.parametrize("headers", BAD_HANDSHAKES.values(), ids=BAD_HANDSHAKES)
def test_a_bad_handshake_is_the_clients_fault(ada, headers):
    with upgrade(ada.site, Cookie=ada.cookie, **headers) as (status, _):
        assert 400 <= status < 500
    assert "Traceback" not in ada.site.log.read_text()


def test_another_version_is_told_which_one_is_spoken(ada):
    handshake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": KEY}
    answer = ada.get("/ws/notifications", headers={**handshake, "Sec-WebSocket-Version": "8"})
    assert (answer.status_code, answer.headers["Sec-WebSocket-Version"]) == (426, "13")


def test_a_plain_request_to_the_socket_is_refused(ada):
    assert 400 <= ada.get("/ws/notifications").status_code < 500
