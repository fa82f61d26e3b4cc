"""What a SignalR client may invoke: a fault completes the invocation, and says what is wrong."""

import json

import pytest

END = "\x1e"


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
