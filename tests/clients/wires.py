"""Wires: a raw client for each of the four, that shows what the server wrote as it wrote it."""

import http.client
import json
import re
from contextlib import ExitStack, contextmanager
from urllib.parse import urlencode

import requests
from server.talk import PATIENCE_SECONDS, Listener
from websockets.sync.client import connect

RECORD_SEPARATOR = "\x1e"
HANDSHAKE = {"protocol": "json", "version": 1}
PING = 6
CONNECTION_ID = re.compile(r'connection-?[iI]d"?[:=]"([^"]+)"')


class Hub:
    """A SignalR connection by hand."""

    def __init__(self, socket):
        self.socket = socket
        self._messages = []

    def send(self, *messages):
        """Send messages in one frame."""
        self.socket.send("".join(json.dumps(each) + RECORD_SEPARATOR for each in messages))

    def raw(self):
        """The next message, whatever it is."""
        while not self._messages:
            frame = self.socket.recv(timeout=PATIENCE_SECONDS)
            assert frame.endswith(RECORD_SEPARATOR)
            self._messages = frame[:-1].split(RECORD_SEPARATOR)
        return json.loads(self._messages.pop(0))

    def hear(self):
        """The next message that is no ping."""
        while (message := self.raw()).get("type") == PING:
            pass
        return message

    def call(self, method, *values, invocation_id="1"):
        """Send an invocation."""
        self.send({"type": 1, "invocationId": invocation_id, "target": method, "arguments": values})

    def invoke(self, method, *values, invocation_id="1"):
        """Send an invocation; its completion's error, or None."""
        self.call(method, *values, invocation_id=invocation_id)
        while (message := self.hear()).get("type") != 3:
            pass
        assert message["invocationId"] == invocation_id
        return message.get("error")


@contextmanager
def hub(site, token, shake=True, **query):
    """An open hub connection with its handshake done."""
    url = f"ws://127.0.0.1:{site.port}/hub?{urlencode({'access_token': token, **query})}"
    with connect(url, proxy=None, close_timeout=PATIENCE_SECONDS, max_queue=None) as socket:
        client = Hub(socket)
        if shake:
            client.send(HANDSHAKE)
            assert client.raw() == {}
        yield client


class Stream:
    """An SSE stream by hand: `head`, then events."""

    def __init__(self, answer):
        self.answer = answer
        self.status = answer.status
        self.headers = answer.headers
        self.comments = 0

    def line(self):
        line = self.answer.readline()
        if not line:
            raise EOFError
        return line.decode().removesuffix("\n")

    def event(self):
        """The fields of the next event."""
        fields = {}
        while (line := self.line()) or not fields:
            name, _, value = line.partition(":")
            if name:
                fields[name] = value.strip()
            elif line:
                self.comments += 1
        return fields

    def next(self, name):
        """The next event of that name: its id and data."""
        while (fields := self.event()).get("event") != name:
            pass
        return fields.get("id"), json.loads(fields["data"])


@contextmanager
def stream(site, token="", headers=None, **query):
    """An open stream."""
    line = http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE_SECONDS)
    parameters = {"access_token": token, **query} if token else query
    try:
        line.request("GET", f"/api/notifications/stream?{urlencode(parameters)}", headers=headers or {})
        with line.getresponse() as answer:
            yield Stream(answer)
    finally:
        line.close()


@contextmanager
def socket(site, token, **query):
    """An open WebSocket that has heard `connected`."""
    url = f"{site.socket_url}?{urlencode({'access_token': token, **query})}"
    with connect(url, proxy=None, close_timeout=PATIENCE_SECONDS, max_queue=None) as opened:
        listener = Listener(opened)
        listener.first = opened.recv(timeout=PATIENCE_SECONDS)
        assert "connected" in listener.first
        yield listener


class Ear:
    """One client of any wire, as a source of texts."""

    def __init__(self, site, wire, token, **query):
        self._doors = ExitStack()
        if wire == "signalr":
            answer = requests.post(
                f"{site.url}/hub/negotiate?negotiateVersion=1&access_token={token}", timeout=60
            ).json()
            self.connection_id = answer["connectionId"]
            client = self._doors.enter_context(hub(site, token, id=answer["connectionToken"]))
            self.next = lambda: json.dumps(client.hear())
        elif wire == "sse":
            client = self._doors.enter_context(stream(site, token, **query))
            self.connection_id = client.next("connected")[1]["connectionId"]
            self.next = lambda: json.dumps(client.event())
        else:
            client = self._doors.enter_context(socket(site, token, format=wire, **query))
            self.connection_id = CONNECTION_ID.search(client.first).group(1)
            self.next = lambda: client.socket.recv(timeout=PATIENCE_SECONDS)

    def marks(self, pattern, until):
        """What the pattern finds in each text up to the one that has `until` in it, in order."""
        found = []
        while until not in (text := self.next()):
            found += sorted(set(re.findall(pattern, text)))
        return found

    def close(self):
        self._doors.close()
