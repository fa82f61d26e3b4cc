"""SignalR: reading frames, judging handshakes, and pings and goodbyes that are messages of the protocol."""

import json

import pytest
from pair import make_pair

from notiway.live.carriers.hub_protocol import SignalRTransport, completion, handshake_fault, split
from notiway.live.delivery.format import Format
from notiway.live.state import State
from notiway.live.wires.signalr import SignalRWire
from notiway.values.close_codes import CloseCode
from notiway.values.errors import WrongInput

END = "\x1e"


@pytest.fixture
def transport():
    return SignalRTransport(lambda connection, text: None, 1024)


def payload(frame):
    """The text of a short, unmasked frame."""
    assert frame[0] == 0x81
    assert frame[1] < 126
    return frame[2 : 2 + frame[1]].decode()


def test_a_frame_may_carry_several_messages():
    assert split(f'{{"type":6}}{END}{{"type":7}}{END}') == [{"type": 6}, {"type": 7}]


@pytest.mark.parametrize("text", ["", "{}", "{}" + END + "{}", END, "[]" + END, "no" + END, "[" * 100_000 + END])
def test_what_is_not_the_protocol_is_wrong_input(text):
    with pytest.raises(WrongInput):
        split(text)


def test_half_a_surrogate_pair_is_replaced_and_a_whole_one_is_kept():
    assert split(r'{"a":"\ud800","b":"\ud83d\ude00"}' + END) == [{"a": "?", "b": "😀"}]


def test_a_good_handshake_has_no_fault():
    assert handshake_fault({"protocol": "json", "version": 1}) is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "handshake"),
        ({"type": 6}, "handshake"),
        ({"protocol": 1, "version": 1}, "handshake"),
        ({"protocol": "messagepack", "version": 1}, "messagepack"),
        ({"protocol": "json", "version": 2}, "version"),
        ({"protocol": "json"}, "version"),
    ],
)
def test_a_bad_one_says_what_is_wrong(values, words):
    assert words in handshake_fault(values)


def test_a_completion_has_a_result_or_an_error_never_both():
    assert json.loads(completion("1").rstrip(END)) == {"type": 3, "invocationId": "1", "result": None}
    assert json.loads(completion("1", "No")[:-1]) == {"type": 3, "invocationId": "1", "error": "No"}


def test_its_ping_is_a_message(transport):
    assert payload(transport.ping()) == '{"type":6}' + END


@pytest.mark.parametrize("code", CloseCode)
def test_its_goodbye_says_whether_to_come_back(transport, code):
    said = json.loads(payload(transport.farewell(code, "because"))[:-1])
    may_return = code in (CloseCode.TRY_AGAIN, CloseCode.RESTARTING, CloseCode.TOO_SLOW)
    assert said == {"type": 7, "allowReconnect": may_return} | ({} if may_return else {"error": "because"})


def test_many_messages_may_share_a_frame_each_within_the_limit():
    """@microsoft/signalr joins what waits: the limit is one of each message, so the frame may be larger."""
    heard = []
    transport = SignalRTransport(lambda connection, text: heard.append(text), 1024)
    connection, client = make_pair(Format(SignalRWire(), transport))
    messages = [f'{{"type":1,"invocationId":"{number}","target":"Nope","arguments":[]}}{END}' for number in range(300)]
    client.send("".join(messages))
    data = connection.sock.recv(65_536)
    connection.release([])
    while data:
        transport.receive(connection, data)
        try:
            data = connection.sock.recv(65_536)
        except BlockingIOError:
            break
    assert sum(map(len, messages)) > 16 * 1024
    assert heard == messages
    assert connection.state is State.OPEN
    connection.lost()
    client.close()
