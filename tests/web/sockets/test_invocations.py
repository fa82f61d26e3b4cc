"""What a SignalR client may invoke: whatever fails, each invocation is completed and says what is wrong."""

import json

import pytest

from notiway.live.carriers.hub_protocol import READY
from notiway.web.sockets import invocations

END = "\x1e"


def test_every_invocation_of_a_frame_is_completed_with_unavailable(app, running, connection, trouble, user):
    message = {"type": 1, "target": "MarkAsRead", "arguments": [f"user:{user.id}", trouble]}
    frame = "".join(json.dumps(message | {"invocationId": str(number)}) + END for number in range(3))
    invocations.handler(app)(connection("signalr", READY), frame)
    answers = [json.loads(text.rstrip(END)) for text in running.told]
    assert [answer["invocationId"] for answer in answers] == ["0", "1", "2"]
    assert all(answer["error"].startswith("Unavailable: ") for answer in answers)


def test_a_handshake_is_refused_with_unavailable_instead_of_never_answered(app, running, connection, exhausted):
    invocations.handler(app)(connection("signalr"), json.dumps({"protocol": "json", "version": 1}) + END)
    assert [name for name, *_ in running.closed][-1:] == ["refuse_handshake"]
    assert running.closed[-1][1].startswith("Unavailable: ")
    assert running.told == []


def test_a_handshake_that_meets_a_fault_of_ours_is_refused_too(app, running, connection, monkeypatch, caplog):
    def fail(*args):
        raise ZeroDivisionError

    monkeypatch.setattr(invocations.standing, "items", fail)
    invocations.handler(app)(connection("signalr"), json.dumps({"protocol": "json", "version": 1}) + END)
    assert running.closed[-1][0] == "refuse_handshake"
    assert running.closed[-1][1].startswith("Error: ")
    assert "ZeroDivisionError" in caplog.text


@pytest.fixture
def invoke(open_socket):
    """Calls a method of the hub, and returns its completion."""
    connection, client = open_socket(format="signalr")
    connection.stage = "ready"

    def call(target, *arguments):
        message = {"type": 1, "invocationId": "1", "target": target, "arguments": list(arguments)}
        connection.format.handle(connection, json.dumps(message) + END)
        return json.loads(client.read()[0].removesuffix(END))

    return call


@pytest.mark.parametrize(
    ("routing", "words"),
    [
        ({"audienceType": 3}, "audienceValue: is required for a group"),
        ({"audienceType": 2}, "audienceValue: is required for a tenant"),
        ({"audienceType": 2, "audienceValue": "a", "tenantId": "b"}, "tenantId: must equal audienceValue"),
        ({"audienceType": 3, "audienceValue": "a:b", "tenantId": "c:d"}, "tenantId: must hold no colon"),
        ({"audienceType": 3, "audienceValue": "x" * 201}, "1 to 200"),
        ({"audienceType": 7}, "audienceType must be a number from 1 to 5"),
        ("group:ops", "{audienceType, audienceValue, tenantId}"),
    ],
)
def test_a_routing_that_names_no_audience_is_refused_with_its_faults(invoke, routing, words):
    error = invoke("Subscribe", routing)["error"]
    assert error.startswith("WrongInput: ")
    assert words in error
