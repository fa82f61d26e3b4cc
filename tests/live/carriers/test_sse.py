"""Stream: the head of an SSE response, and what stands for pings and goodbyes."""

from notiway.live.carriers.sse import RETRY_MS, FrameStreamTransport, StreamTransport, response_head
from notiway.values.close_codes import CloseCode


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


def test_a_frame_for_pages_is_the_data_of_one_message_whatever_lines_it_has():
    transport = FrameStreamTransport()
    assert transport.encode("<p>one\ntwo\r\nthree\rfour</p>\n") == (
        b"data: <p>one\ndata: two\ndata: three\ndata: four</p>\ndata: \n\n"
    )
    assert transport.ping() == b":\n\n"


def test_a_page_is_told_why_its_stream_ends():
    assert FrameStreamTransport().farewell(CloseCode.SIGNED_OUT, "signed out") == b"event: close\ndata: 4009\n\n"
