"""The JSON hub protocol by hand: negotiation, handshake and messages that no good client would send, on either server.

SignalR HubProtocol and TransportProtocols specifications.
"""

import json

import pytest
import requests
from clients.producer import Producer, join, token
from clients.wires import HANDSHAKE, PING, hub
from websockets.exceptions import ConnectionClosed, InvalidStatus

SOON = 10  # seconds
ROUTING = {"audienceType": 3, "audienceValue": "ops"}


@pytest.fixture
def key(any_site, request):
    return token(any_site, request.node.name)


@pytest.fixture
def line(any_site, key):
    with hub(any_site, key) as client:
        yield client


@pytest.fixture(scope="module")
def impatient_site(make_site):
    # A silent client is gone after two beats: later than any look at who has not shaken hands within 0.3 s.
    return make_site("clients.impatient_app:app", NOTIWAY_HEARTBEAT_SECONDS=0.6).start()


@pytest.fixture(scope="module")
def producer(site):
    return Producer(site)


def negotiate(site, key=None, version="?negotiateVersion=1", **options):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return requests.post(f"{site.url}/hub/negotiate{version}", headers=headers, timeout=SOON, **options)


def refused(site, key, **query):
    """The status with which a connection is refused before the upgrade."""
    with pytest.raises(InvalidStatus) as fault, hub(site, key, **query):
        pass
    return fault.value.response.status_code


def last_words(client):
    """All messages until the connection ends."""
    messages = []
    with pytest.raises(ConnectionClosed):
        while True:
            messages.append(client.raw())
    return messages


def is_well(client):
    """Whether an invocation is still answered."""
    return client.invoke("Subscribe", {}, invocation_id="well").startswith("WrongInput: ")


def test_negotiation_offers_websockets_with_a_token_that_is_not_the_id(any_site, key):
    answer = negotiate(any_site, key).json()
    assert answer["negotiateVersion"] == 1
    assert answer["availableTransports"] == [{"transport": "WebSockets", "transferFormats": ["Text"]}]
    assert answer["connectionId"] not in answer["connectionToken"]


def test_version_0_knows_only_one_id(any_site, key):
    answer = negotiate(any_site, key, version="").json()
    assert (answer["negotiateVersion"], "connectionToken" in answer) == (0, False)
    with hub(any_site, key, id=answer["connectionId"]) as client:
        assert is_well(client)


def test_a_connection_token_works_once(any_site, key):
    connection_token = negotiate(any_site, key).json()["connectionToken"]
    with hub(any_site, key, id=connection_token) as client:
        assert is_well(client)
    assert refused(any_site, key, id=connection_token) == 404


def test_a_connection_token_works_only_for_its_user(any_site, key):
    connection_token = negotiate(any_site, key).json()["connectionToken"]
    assert refused(any_site, token(any_site, "somebody-else"), id=connection_token) == 404
    with hub(any_site, key, id=connection_token) as client:
        assert is_well(client), "the failed attempt did not use it up"


@pytest.mark.parametrize("unknown", ["", "no-such-id", "a.b.c"])
def test_an_unknown_id_is_404(any_site, key, unknown):
    assert refused(any_site, key, id=unknown) == 404


@pytest.mark.parametrize("bad", [None, "", "no.token.really"])
def test_without_a_good_token_nobody_comes_in(any_site, bad):
    answer = negotiate(any_site, bad)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "Unauthorized")
    assert refused(any_site, bad or "") == 401


def test_a_session_is_as_good_as_a_token_but_not_from_another_origin(visitor, site):
    assert visitor.post("/hub/negotiate?negotiateVersion=1").ok
    answer = visitor.post("/hub/negotiate?negotiateVersion=1", headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Forbidden")


HANDSHAKES = {
    "another protocol": {"protocol": "messagepack", "version": 1},
    "another version": {"protocol": "json", "version": 2},
    "no version": {"protocol": "json"},
    "no handshake": {"type": PING},
    "nothing in it": {},
}


@pytest.mark.parametrize("fault", HANDSHAKES)
def test_a_bad_handshake_is_answered_with_an_error_and_the_end(any_site, key, fault):
    with hub(any_site, key, shake=False) as client:
        # What follows in the same frame is not listened to.
        client.send(HANDSHAKES[fault], HANDSHAKE, {"type": 1, "invocationId": "1", "target": "Nope", "arguments": []})
        first, *rest = last_words(client)
    assert set(first) == {"error"}
    assert [each.get("type") for each in rest if each.get("type") != PING] in ([], [7])


@pytest.mark.parametrize("text", ["not JSON\x1e", "[]\x1e", '{"protocol":"json","version":1}', "\x1e"])
def test_what_is_no_message_at_all_is_no_handshake_either(any_site, key, text):
    with hub(any_site, key, shake=False) as client:
        client.socket.send(text)
        assert set(last_words(client)[0]) == {"error"}


def test_who_says_nothing_does_not_stay(impatient_site):
    with hub(impatient_site, token(impatient_site, "silent"), shake=False) as client:
        assert "no handshake" in last_words(client)[0]["error"]


def test_who_shakes_hands_in_time_stays_longer_than_the_handshake_may_take(impatient_site):
    with hub(impatient_site, token(impatient_site, "polite")) as client:
        for _ in range(4):
            client.send({"type": PING})
            assert client.raw() == {"type": PING}
        assert is_well(client)


def test_who_falls_silent_is_let_go(impatient_site):
    with hub(impatient_site, token(impatient_site, "gone")) as client:
        assert {json.dumps(each) for each in last_words(client)} == {'{"type": 6}'}


def test_a_client_that_pings_less_often_than_our_heart_beats_is_not_let_go(quick_site):
    with hub(quick_site, token(quick_site, "calm")) as client:
        for _ in range(5):
            assert client.raw() == {"type": PING}
        assert is_well(client)


@pytest.mark.parametrize("text", ["{broken\x1e", "[1]\x1e", '{"type":6}', "42\x1e"])
def test_what_is_no_message_ends_the_connection_with_a_reason(line, text):
    line.socket.send(text)
    (close,) = last_words(line)
    assert (close["type"], close["allowReconnect"]) == (7, False)
    assert close["error"]


def test_several_messages_in_a_frame_are_each_answered(line):
    calls = [{"type": 1, "invocationId": str(n), "target": f"Nope{n}", "arguments": []} for n in range(5)]
    line.send({"type": PING}, *calls)
    answers = [line.hear() for _ in calls]
    assert [each["invocationId"] for each in answers] == ["0", "1", "2", "3", "4"]
    assert all(each["type"] == 3 and each["error"].startswith("NotSupported: ") for each in answers)


def test_even_the_handshake_may_share_its_frame(any_site, key):
    with hub(any_site, key, shake=False) as client:
        client.send(HANDSHAKE, {"type": 1, "invocationId": "1", "target": "Nope", "arguments": []})
        assert client.raw() == {}
        assert client.hear()["invocationId"] == "1"


@pytest.mark.parametrize("kind", [2, 3, 5, 8, 9, 99, "1", None])
def test_a_message_of_another_type_is_passed_over(line, kind):
    line.send({"type": kind, "target": "Subscribe", "arguments": [ROUTING], "invocationId": "x"})
    assert is_well(line)


def test_a_stream_invocation_is_answered_with_an_error(line):
    line.send({"type": 4, "invocationId": "7", "target": "Counter", "arguments": []})
    answer = line.hear()
    assert (answer["type"], answer["invocationId"]) == (3, "7")
    assert answer["error"].startswith("NotSupported")


def test_without_an_invocation_id_nothing_is_answered(line):
    line.send({"type": 1, "target": "Nope", "arguments": []})
    line.send({"type": 4, "target": "Nope", "arguments": []})
    line.call("Nope", invocation_id="after")
    assert line.hear()["invocationId"] == "after"


def test_the_case_of_a_method_matters(line):
    assert line.invoke("subscribe", ROUTING).startswith("NotSupported: ")


WRONG = [
    ("Subscribe", []),
    ("Subscribe", [None]),
    ("Subscribe", [{}]),
    ("Subscribe", [{"audienceType": 0, "audienceValue": "x"}]),
    ("Subscribe", [{"audienceType": True, "audienceValue": "x"}]),
    ("Subscribe", [{"audienceType": {}, "audienceValue": "x"}]),
    ("Subscribe", [{"audienceType": 3}]),
    ("Subscribe", [{"audienceType": 3, "audienceValue": 7}]),
    ("Subscribe", [{"audienceType": 3, "audienceValue": "a:b"}]),
    ("Subscribe", [{"audienceType": 2, "audienceValue": "a", "tenantId": "b"}]),
    ("Subscribe", [ROUTING, ROUTING]),
    ("Unsubscribe", ["group:ops"]),
    ("MarkAsRead", ["global"]),
    ("MarkAsRead", [1, 2]),
    ("MarkAsDeleted", ["global", None]),
    ("Renew", [{}]),
]


@pytest.mark.parametrize(("method", "values"), WRONG)
def test_wrong_arguments_are_wrong_input(line, method, values):
    assert line.invoke(method, *values).startswith("WrongInput: ")


@pytest.mark.parametrize("arguments", [None, {}, "x", 1])
def test_arguments_that_are_no_list_are_wrong_input(line, arguments):
    line.send({"type": 1, "invocationId": "1", "target": "Subscribe", "arguments": arguments})
    assert line.hear()["error"].startswith("WrongInput: ")


def test_text_that_is_no_unicode_harms_nothing(line):
    line.send({"type": 1, "invocationId": "1", "target": "MarkAsRead", "arguments": ["global", "\ud800"]})
    assert line.hear()["error"].startswith("NotFound: ")
    line.send({"type": 1, "invocationId": "\ud800", "target": "Nope", "arguments": []})
    assert line.hear()["invocationId"] == "?"
    assert is_well(line)


def test_a_client_may_say_goodbye(line):
    line.send({"type": 7})
    (close,) = last_words(line)
    assert (close["type"], "error" in close) == (7, False)


def test_a_draining_server_says_come_back(start):
    site = start(NOTIWAY_DRAIN_SECONDS=2)
    with hub(site, token(site, "ada")) as client:
        site.process.terminate()
        assert last_words(client)[-1] == {"type": 7, "allowReconnect": True}
        assert client.socket.close_code == 1012


def test_a_tenant_may_be_named_by_either_field(site, producer, request):
    join(site, request.node.name, "tenant:acme")
    with hub(site, token(site, request.node.name)) as client:
        assert client.invoke("Subscribe", {"audienceType": 2, "tenantId": "acme"}) is None
        assert client.invoke("Subscribe", {"audienceType": 2, "audienceValue": "acme", "tenantId": "acme"}) is None
        sent = producer.publish("tenant:acme", "news")
        assert client.hear()["arguments"][0]["id"] == sent, "subscribed several times, heard once"
        assert client.invoke("Unsubscribe", {"audienceType": 2, "tenantId": "acme"}) is None


def test_what_was_sent_from_python_has_a_body_too(visitor):
    with hub(visitor.site, token(visitor.site, visitor.id)) as client:
        sent = visitor.notify("Invoice paid", "John paid $500", "success")
        call = client.hear()
    assert call["target"] == "notification"
    (heard,) = call["arguments"]
    assert (heard["id"], heard["body"]["title"], heard["body"]["severity"]) == (sent["id"], "Invoice paid", "success")


def test_what_a_page_marks_reaches_hub_clients_item_by_item(visitor):
    ids = [visitor.notify(f"Number {number}")["id"] for number in range(3)]
    with hub(visitor.site, token(visitor.site, visitor.id)) as client:
        assert [client.hear()["arguments"][0]["id"] for _ in ids] == ids
        visitor.put("/notifications/read-all")
        changes = [client.hear() for _ in ids]
        assert {each["target"] for each in changes} == {"EventReadStatusChange"}
        assert {each["arguments"][0]["eventId"] for each in changes} == set(ids)
        visitor.delete(f"/notifications/{ids[0]}/read")
        assert client.hear()["arguments"][0]["isRead"] is False
        visitor.delete(f"/notifications/{ids[0]}")
        assert client.hear()["arguments"][0]["isDeleted"] is True
        visitor.post(f"/notifications/{ids[0]}/restore")
        assert client.hear()["arguments"][0] == {
            "eventId": ids[0],
            "audienceId": f"user:{visitor.id}",
            "isDeleted": False,
        }
