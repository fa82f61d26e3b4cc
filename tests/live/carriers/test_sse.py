"""Stream: the head of an SSE response, and what stands for pings and goodbyes."""

from notiway.live.carriers.sse import RETRY_MS, StreamTransport, response_head


def test_the_head_is_that_of_an_event_stream_that_no_proxy_keeps_back():
    head, _, first = response_head({"Vary": "Origin"}).decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert status == "HTTP/1.1 200 OK"
    assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert (headers["X-Accel-Buffering"], headers["Cache-Control"], headers["Vary"]) == ("no", "no-store", "Origin")
    assert first.startswith("retry: ")
    assert first.endswith("\n\n")


def test_clients_come_back_spread_over_some_seconds():
    seen = {int(response_head({}).decode().rpartition("retry: ")[2]) for _ in range(200)}
    assert len(seen) > 50
    assert RETRY_MS[0] <= min(seen)
    assert max(seen) < RETRY_MS[1]


def test_a_ping_is_a_comment_and_a_goodbye_is_silence():
    transport = StreamTransport()
    assert transport.ping() == b":\n\n"
    assert transport.farewell(1012, "restarting") == b""
    assert transport.encode("data: ä\n\n") == "data: ä\n\n".encode()
