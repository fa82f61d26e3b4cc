"""Talking to a live server: a client that nobody here wrote (`websockets` from PyPI), and a user for each test."""

import itertools
import json
from contextlib import contextmanager
from urllib.parse import urlencode

import requests
from servers import wait_until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATIENCE_SECONDS = 60.0
numbers = itertools.count(1)


def new_visitor(site, *groups):
    """A user that nobody has met yet, signed in; `site` runs loud_app."""
    email = f"user{next(numbers)}@example.com"
    answer = requests.post(f"{site.url}/test/users", json={"email": email, "groups": groups}, timeout=60)
    assert answer.ok, answer.text
    visitor = site.sign_in(email)
    visitor.email = email
    visitor.id = answer.json()["id"]
    return visitor


def burst(visitor, count, **options):
    """Let the server send that many notifications; their ids in order."""
    answer = visitor.post("/test/burst", json={"count": count, **options}, timeout=60)
    assert answer.ok, answer.text
    return answer.json()["ids"]


def inbox(visitor):
    """What the visitor's history holds, newest first, and the unread count."""
    answer = visitor.get("/notifications").json()
    return answer["notifications"], answer["unreadCount"]


class Listener:
    """An open socket that speaks JSON."""

    def __init__(self, socket):
        self.socket = socket
        self.headers = socket.response.headers

    def say(self, action, **fields):
        self.socket.send(json.dumps({"action": action, **fields}))

    def hear(self, seconds=PATIENCE_SECONDS):
        """The next message."""
        return json.loads(self.socket.recv(timeout=seconds))

    def hear_only(self, event):
        """The data of the next message, which is that event; counts from heartbeats are passed over."""
        message = self.hear()
        while message["event"] == "pong" != event:
            message = self.hear()
        assert message["event"] == event, message
        return message["data"]

    def hear_news(self, known, count):
        """The ids of the next notifications that are not known; a resume may repeat what came just before."""
        ids = []
        while len(ids) < count:
            given = self.hear_only("notification")["id"]
            if given not in known:
                ids.append(given)
        return ids

    def hear_all(self, until):
        """All messages up to and including the first one for which `until(message)` is true."""
        heard = [self.hear()]
        while not until(heard[-1]):
            heard.append(self.hear())
        return heard

    def ask(self, action, **fields):
        """Send an action; the answer."""
        self.say(action, **fields)
        return self.hear()

    def close_code(self):
        """Read to the end; the server's close code, or None if it gave none."""
        return self.read_to_end()[1]

    def read_to_end(self):
        """All messages until the server closes, and the close code."""
        heard = []
        try:
            while True:
                heard.append(self.hear())
        except ConnectionClosed as closed:
            return heard, closed.rcvd.code if closed.rcvd else None


@contextmanager
def open_socket(site, cookie="", query="", **options):
    """A `websockets` connection to the site."""
    headers = {"Cookie": cookie} if cookie else {}
    headers.update(options.pop("headers", {}))
    url = options.pop("url", site.socket_url) + (f"?{urlencode(query)}" if query else "")
    # Without a bound the client always reads, so that it also sees the end of the closing handshake.
    options = {"proxy": None, "close_timeout": PATIENCE_SECONDS, "max_queue": None, **options}
    with connect(url, additional_headers=headers, **options) as socket:
        yield socket


@contextmanager
def listen(visitor, connected=True, **query):
    """A Listener of a signed-in visitor that has heard `connected` already."""
    options = query.pop("options", {})
    with open_socket(visitor.site, visitor.cookie, query, **options) as socket:
        listener = Listener(socket)
        if connected:
            listener.connected = listener.hear_only("connected")
        yield listener


def is_open_elsewhere(site, count, wire="json"):
    """Wait until the server counts that many connections of a wire."""
    wanted = f'notiway_connections{{wire="{wire}"}} {float(count)}'
    return wait_until(lambda: wanted in requests.get(f"{site.url}/metrics", timeout=60).text, PATIENCE_SECONDS)


def metric(site, name):
    """A number that the server counts, 0 before its first time."""
    for line in requests.get(f"{site.url}/metrics", timeout=60).text.splitlines():
        if line.startswith(f"{name} "):
            return float(line.rpartition(" ")[2])
    return 0.0
