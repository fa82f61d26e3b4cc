"""Bodies that trickle in cost nobody else anything, and are not waited for without end."""

import socket
import threading

import pytest
import requests
from clients.producer import Producer

from server.raw import trickle
from server.talk import inbox, new_visitor

CLIENTS = 25  # more than the database has connections


@pytest.fixture(scope="module")
def slow_site(make_site):
    return make_site().start()


def answer_to(stream, stop):
    """What the server says while the body goes on and on, a byte now and then."""
    answer = b""
    while not stop.wait(0.2):
        try:
            stream.sendall(b" ")
            stream.settimeout(0.01)
            data = stream.recv(65_536)
            if not data:
                return answer
            answer += data
        except TimeoutError:
            continue
        except OSError:
            return answer
    return answer


def test_clients_whose_bodies_trickle_in_hold_up_nobody_and_are_answered_in_the_end(slow_site):
    key = Producer(slow_site).http.headers["Authorization"]
    with new_visitor(slow_site) as visitor, new_visitor(slow_site) as bystander:
        page = {"Cookie": visitor.cookie, "X-CSRFToken": visitor.headers["X-CSRFToken"], "Accept": "application/json"}
        ways = [
            ("/api/notifications", {"Authorization": key}),
            ("/notifications/send", page),
            ("/login", {"Content-Type": "application/x-www-form-urlencoded"}),
        ]
        streams = [trickle(slow_site, *way) for way in ways for _ in range(CLIENTS)]
        stop, answers = threading.Event(), []
        readers = [
            threading.Thread(target=lambda each=each: answers.append(answer_to(each, stop)), daemon=True)
            for each in streams
        ]
        try:
            for reader in readers:
                reader.start()
            for _ in range(20):
                assert requests.get(f"{slow_site.url}/healthz", timeout=60).ok
                assert inbox(bystander)[1] == 0, "a page that needs the database"
            for reader in readers:
                reader.join(60)
        finally:
            stop.set()
            for stream in streams:
                stream.close()
    assert len(answers) == len(streams)
    assert [each.split(b"\r\n")[0] for each in answers if b" 408 " not in each.split(b"\r\n")[0]] == []


@pytest.mark.parametrize("worker", ["sync", "gevent"])
def test_a_large_body_that_is_refused_does_not_cost_its_sender_the_answer(make_site, worker):
    """With bytes unread behind it, the close would be a reset, which takes the answer with it."""
    options = () if worker == "gevent" else ("-k", worker)
    site = make_site().start(*options)
    size = 4_000_000
    head = f"POST /api/notifications HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", site.port), 30) as client:
            client.sendall(head.encode() + b" " * size)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 401 ")
