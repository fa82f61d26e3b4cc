"""SSE: npm's eventsource through a killed server, and what a stream writes, on either server (WHATWG HTML §9.2)."""

import http.client
import json
import socket
import time

import pytest
import requests
from clients.driver import open_driver
from clients.producer import Producer, envelope, in_future, token
from clients.wires import stream
from servers import wait_until

from notiway.values.clock import now_ms
from notiway.values.ids import id_floor
from server.talk import PATIENCE_SECONDS, is_open_elsewhere, listen, metric

COUNT = 500
DAY_MS = 86_400_000
PARKED = 40


@pytest.fixture(scope="module")
def node():
    with open_driver("node") as driver:
        yield driver


@pytest.fixture(scope="module")
def producers():
    return {}


@pytest.fixture
def producer(any_site, producers):
    if any_site not in producers:
        producers[any_site] = Producer(any_site)
    return producers[any_site]


@pytest.fixture
def me(request):
    return request.node.name


@pytest.fixture
def key(any_site, me):
    return token(any_site, me)


def test_nothing_is_lost_when_the_server_is_killed(node, start):
    site = start()
    producer = Producer(site)
    numbers = iter(range(COUNT))

    def publish(count):
        producer.send(*(envelope("user:reader", "n", {"title": f"{next(numbers)}"}, True) for _ in range(count)))

    # The token comes in the address, as a browser would send it.
    url = f"{site.url}/api/notifications/stream?access_token={token(site, 'reader')}"
    node.ask("open", name="reader", url=url)
    node.wait("reader", "unread")
    for _ in range(10):
        publish(COUNT // 20)
    site.kill()  # while the last ones are on their way
    node.wait("reader", "error")
    site.start()
    publish(COUNT // 4)  # partly before it is back
    node.wait("reader", "open", 2)
    publish(COUNT // 4)

    def heard():
        return dict.fromkeys(int(data["title"]) for data, _ in node.wait("reader", "notification", 1))

    wait_until(lambda: len(heard()) == COUNT)
    node.ask("close", name="reader")
    assert list(heard()) == list(range(COUNT)), "in order, but for what a resume repeats"
    assert node.heard("reader", "reset") == []


def test_npm_eventsource_with_a_bearer_header(node, any_site, producer, key, me):
    headers = {"Authorization": f"Bearer {key}"}
    node.ask("open", name=me, url=f"{any_site.url}/api/notifications/stream", headers=headers)
    node.wait(me, "unread")
    producer.publish(f"user:{me}", "order-shipped", {"title": "Shipped"})
    ((data, _),) = node.wait(me, "notification")
    node.ask("close", name=me)
    assert (data["title"], data["name"]) == ("Shipped", "order-shipped")


def test_an_event_has_the_fields_of_the_published_client(any_site, producer, key, me):
    with stream(any_site, key) as reader:
        reader.next("unread")
        body = {"title": "Disk full", "message": "Look at it", "severity": "critical"}
        producer.send(envelope(f"user:{me}", "disk-full", body, True) | {"priority": "urgent", "groupKey": "disk:7"})
        event_id, data = reader.next("notification")
        assert reader.next("unread")[1] == {"unreadCount": 1}
    assert event_id == data["id"]
    shown = {name: data[name] for name in ("title", "body", "type", "priority", "read", "groupKey")}
    assert shown == {
        "title": "Disk full",
        "body": "Look at it",
        "type": "error",
        "priority": "urgent",
        "read": False,
        "groupKey": "disk:7",
    }
    assert abs(data["timestamp"] - now_ms()) < 60_000


def test_the_head_of_a_stream(any_site, key):
    with stream(any_site, key) as reader:
        assert reader.status == 200
        assert reader.headers["Content-Type"].startswith("text/event-stream")
        assert reader.headers["Cache-Control"] == "no-store"
        assert 1_000 <= int(reader.event()["retry"]) < 4_000


def test_retries_are_spread(site):
    seen = set()
    for _ in range(5):
        with stream(site, token(site, "jitter")) as reader:
            seen.add(reader.event()["retry"])
    assert len(seen) > 1


@pytest.mark.parametrize("way", ["header", "query"])
def test_it_resumes_after_the_id_it_is_given(any_site, producer, key, me, way):
    with stream(any_site, key) as reader:
        reader.next("unread")
        producer.send(*(envelope(f"user:{me}", "n", {"title": f"{number}"}, True) for number in range(5)))
        ids = [reader.next("notification")[0] for _ in range(5)]
    how = {"headers": {"Last-Event-ID": ids[1]}} if way == "header" else {"lastEventId": ids[1]}
    with stream(any_site, key, **how) as reader:
        heard = [reader.next("notification")[0] for _ in range(4)]
    assert heard == [ids[0], *ids[2:]], "an overlap before it, for what was overtaken on its way"


def test_the_first_event_carries_an_id_so_that_even_a_silent_stream_resumes(any_site, producer, key, me):
    with stream(any_site, key) as reader:
        first, _ = reader.next("unread")
    missed = envelope(f"user:{me}", "n", {"title": "missed"}, True)
    producer.send(missed)
    with stream(any_site, key, headers={"Last-Event-ID": first}) as reader:
        assert reader.next("notification")[1]["title"] == "missed"


@pytest.mark.parametrize("last", ["nonsense", "0", "older than the retention"])
def test_when_it_cannot_be_sure_it_says_reset_first(any_site, producer, key, me, last):
    if last == "older than the retention":
        last = id_floor(now_ms() - 400 * DAY_MS)
    producer.publish(f"user:{me}", "n", persisted=True)
    with stream(any_site, key, headers={"Last-Event-ID": last}) as reader:
        reader.event()
        assert reader.event()["event"] == "reset"
        assert reader.next("unread")[1] == {"unreadCount": 1}


def test_what_expired_or_was_deleted_or_recalled_is_not_replayed(any_site, producer, key, me):
    with stream(any_site, key) as reader:
        first, _ = reader.next("unread")
        soon = envelope(f"user:{me}", "n", {"title": "soon"}, True, persistedTTL=in_future(1))
        producer.send(soon, envelope(f"user:{me}", "n", {"title": "kept"}, True))
        until = time.monotonic() + 1
        reader.next("notification")
    wait_until(lambda: time.monotonic() > until)
    with stream(any_site, key, headers={"Last-Event-ID": first}) as reader:
        assert reader.next("unread")[1] == {"unreadCount": 1}
        assert reader.next("notification")[1]["title"] == "kept"


def test_changes_on_other_devices_are_told(ada):
    sent = ada.notify("Invoice paid")
    with stream(ada.site, headers={"Cookie": ada.cookie}) as reader:
        reader.next("unread")
        ada.put(f"/notifications/{sent['id']}/read")
        assert reader.next("read")[1] == {"notificationId": sent["id"], "read": True, "unreadCount": 0}
        ada.delete(f"/notifications/{sent['id']}")
        assert reader.next("deleted")[1] == {"notificationId": sent["id"], "unreadCount": 0}


def test_it_beats(quick_site):
    with stream(quick_site, token(quick_site, "beats")) as reader:
        while not reader.comments:
            assert reader.next("unread")[1] == {"unreadCount": 0}


@pytest.mark.parametrize("bad", ["", "no.token.really"])
def test_without_a_good_token_there_is_no_stream(any_site, bad):
    with stream(any_site, bad) as reader:
        assert reader.status == 401
        assert json.loads(reader.answer.read())["error"]["code"] == "Unauthorized"


def test_a_head_request_opens_nothing(any_site, key):
    line = http.client.HTTPConnection("127.0.0.1", any_site.port, timeout=PATIENCE_SECONDS)
    line.request("HEAD", f"/api/notifications/stream?access_token={key}")
    answer = line.getresponse()
    assert (answer.status, answer.read()) == (200, b"")
    line.close()


def test_a_stream_ends_with_its_token(site):
    with stream(site, token(site, "short", ttl=1)) as reader, pytest.raises(EOFError):
        while True:
            reader.event()


def test_a_stream_ends_with_its_session(ada):
    with stream(ada.site, headers={"Cookie": ada.cookie}) as reader:
        reader.next("unread")
        assert ada.post("/logout").ok
        with pytest.raises(EOFError):
            while True:
                reader.event()


def test_parked_streams_take_no_thread_and_no_greenlet(site):
    def running():
        return requests.get(f"{site.url}/test/running", timeout=PATIENCE_SECONDS).json()

    before = running()
    open_streams = []
    try:
        for number in range(PARKED):
            line = socket.create_connection(("127.0.0.1", site.port), PATIENCE_SECONDS)
            open_streams.append(line)
            key = token(site, f"parked-{number}")
            line.sendall(f"GET /api/notifications/stream?access_token={key} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert b"200 OK" in line.recv(1024)
        is_open_elsewhere(site, PARKED, "sse")
        wait_until(lambda: running()["greenlets"] < before["greenlets"] + PARKED / 2)
        assert running()["threads"] <= before["threads"] + 1
    finally:
        for line in open_streams:
            line.close()
    is_open_elsewhere(site, 0, "sse")


def test_a_reader_that_stops_is_dropped_and_delays_nobody(site, visitor):
    drops = metric(site, "notiway_backlog_drops_total")
    with socket.socket() as stopped, listen(visitor) as neighbour:
        stopped.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stopped.connect(("127.0.0.1", site.port))
        request = f"GET /api/notifications/stream HTTP/1.1\r\nHost: x\r\nCookie: {visitor.cookie}\r\n\r\n"
        stopped.sendall(request.encode())
        is_open_elsewhere(site, 1, "sse")
        while metric(site, "notiway_backlog_drops_total") == drops:
            visitor.post("/test/burst", json={"count": 1, "size": 30_000, "persist": False})
            neighbour.hear_only("notification")
