"""Probe: opens a real WebSocket, tells a refusal from a silence, and never waits past its deadline."""

import socket
import ssl
import threading

import pytest
from servers import answer, free_port
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Message, Request, TextMessage

from notiway.host import sessions
from notiway.ops.probe import Probe, Refused, end_session, session_cookie

SECONDS = 5
HELLO = [TextMessage("hel", message_finished=False), TextMessage("lo")]


@pytest.fixture
def speaking():
    """A WebSocket server for one client: accepts, says these events, then writes down what it hears; its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard, threads = [], []

    def serve(*events):
        def work():
            client, _ = listener.accept()
            with client:
                protocol = WSConnection(ConnectionType.SERVER)
                while data := client.recv(65_536):
                    protocol.receive_data(data)
                    for event in protocol.events():
                        heard.append(event)
                        if isinstance(event, Request):
                            client.sendall(b"".join(map(protocol.send, (AcceptConnection(), *events))))

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/ws/notifications?format=json", heard

    yield serve
    for thread in threads:
        thread.join(SECONDS)
    listener.close()


def test_it_sends_its_headers_to_the_address_and_reads_whole_messages(speaking):
    url, heard = speaking(*HELLO, TextMessage("again"))
    with Probe(url, {"Origin": "https://evil.test"}, SECONDS) as probe:
        assert [probe.receive(), probe.receive()] == ["hello", "again"]
        assert probe._socket.gettimeout() == SECONDS
    request = heard[0]
    assert request.target == "/ws/notifications?format=json"
    assert request.host == url.removeprefix("http://").partition("/")[0]
    assert (b"origin", b"https://evil.test") in [(name.lower(), value) for name, value in request.extra_headers]


def test_what_it_says_is_heard(speaking):
    url, heard = speaking(TextMessage("welcome"))
    with Probe(url, {}, SECONDS) as probe:
        probe.receive()
        probe.send('{"action": "ping"}')
        probe._socket.shutdown(socket.SHUT_WR)
        assert probe._socket.recv(1) == b"", "the server has read it all"
    assert [event.data for event in heard if isinstance(event, Message)] == ['{"action": "ping"}']


@pytest.mark.parametrize("code", [1012, 4001])
def test_a_close_is_a_refusal_with_its_code(speaking, code):
    url, _ = speaking(CloseConnection(code))
    with Probe(url, {}, SECONDS) as probe, pytest.raises(Refused) as refusal:
        probe.receive()
    assert refusal.value.code == code


def test_a_server_that_says_nothing_is_not_waited_for_past_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(TimeoutError):
            Probe(f"http://127.0.0.1:{silent.getsockname()[1]}/ws", {}, 0.05)
        client, _ = silent.accept()
        with client:
            assert client.recv(65_536).startswith(b"GET /ws ")
            assert client.recv(1) == b"", "it leaves nothing open"


def test_where_nobody_listens_is_no_refusal():
    with pytest.raises(OSError) as fault:
        Probe(f"http://127.0.0.1:{free_port()}/ws", {}, SECONDS)
    assert not isinstance(fault.value, Refused)


def test_a_secure_address_is_spoken_to_in_tls(monkeypatch):
    wrapped = []

    class Context:
        def wrap_socket(self, sock, server_hostname):
            wrapped.append(server_hostname)
            raise ssl.SSLError("no certificate")

    monkeypatch.setattr(ssl, "create_default_context", Context)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(ssl.SSLError):
        Probe(f"https://127.0.0.1:{listener.getsockname()[1]}/ws", {}, SECONDS)
    assert wrapped == ["127.0.0.1"]


def test_the_probe_tells_a_refusal_from_a_silence(answering):
    with pytest.raises(Refused) as refusal:
        Probe(answering(answer(418)) + "/ws", {}, 5)
    assert refusal.value.code == 418
    with pytest.raises(ConnectionError):
        Probe(answering(b"") + "/ws", {}, 5)


def test_the_session_cookie_signs_that_user_in(app, user):
    with app.app_context():
        sign_in_and_out(app, user)


def sign_in_and_out(app, user):
    cookie = session_cookie(app, "http://127.0.0.1:5000", user.id)
    client = app.test_client(use_cookies=False)
    assert client.get("/account", headers={"Cookie": cookie}).status_code == 200
    assert session_cookie(app, "http://127.0.0.1:5000", "nobody") is None
    end_session(app, "http://127.0.0.1:5000", cookie)
    assert client.get("/account", headers={"Cookie": cookie}).status_code == 302
    assert sessions.of_user(user.id) == []
