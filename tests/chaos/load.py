"""Load: producers that send one message after another, and keep at it as their documentation says."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import redis
import requests
from clients.producer import Producer, in_future
from serving import Visitor

from chaos.ledger import Ledger
from notiway.values.audience import Audience

numbers = itertools.count(1)
BATCH = 3
PAUSE_SECONDS = 0.05
AWAY_SECONDS = 0.1  # before a producer tries again
TIMEOUT_SECONDS = 15.0
BAD_GATEWAY = 502  # only a proxy says so: its node ended under the request


def new_mark(kind: str) -> str:
    """The title of a message that no other message has."""
    return f"{kind} {next(numbers):06}"


def envelope(mark: str, to: str, kept: bool = True, **more: Any) -> dict[str, Any]:
    """A message to an audience, under its mark."""
    audience = Audience.parse(to)
    return {
        "id": mark.replace(" ", "-"),
        "type": "chaos",
        "body": {"title": mark, **more},
        "routing": {
            "audienceType": int(audience.type),
            "audienceValue": audience.value,
            "tenantId": audience.tenant_id,
        },
        "metadata": {"producer": "chaos", "isPersisted": kept} | ({"persistedTTL": in_future(7200)} if kept else {}),
    }


class Sender:
    """Calls `send` in a thread until it is stopped."""

    def __init__(self, send: Callable[[threading.Event], None], name: str) -> None:
        self._over = threading.Event()
        self._send = send
        self.fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name=name)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                self._send(self._over)
                self._over.wait(PAUSE_SECONDS)
        except BaseException as fault:  # told by `stop`, in the thread of the test
            self.fault = fault
            raise

    def stop(self) -> None:
        self._over.set()
        self._thread.join(TIMEOUT_SECONDS * 2)
        assert self.fault is None, self.fault


class ApiSender:
    """Sends arrays of envelopes; what was not acknowledged is sent again under the same ids until it is."""

    def __init__(self, producer: Producer, ledger: Ledger, to: str, batch: int = BATCH, **more: Any) -> None:
        self.producer, self.ledger, self.to, self.batch, self.more = producer, ledger, to, batch, more

    def __call__(self, over: threading.Event) -> None:
        marks = [new_mark("api") for _ in range(self.batch)]
        envelopes = [envelope(mark, self.to, **self.more) for mark in marks]
        self.ledger.note_sent(*marks)
        while not self.post(envelopes):
            self.ledger.note_refused()
            if over.wait(AWAY_SECONDS):
                return
        self.ledger.note_acknowledged(*marks)

    def once(self) -> None:
        """Send one array, until it is acknowledged."""
        self(threading.Event())

    def post(self, envelopes: list[dict[str, Any]]) -> bool:
        """Whether all were acknowledged."""
        url = f"{self.producer.site.url}/api/notifications"
        headers = {"Authorization": str(self.producer.http.headers["Authorization"])}
        try:
            answer = requests.post(url, json=envelopes, headers=headers, timeout=TIMEOUT_SECONDS)
        except requests.RequestException:
            return False
        if answer.status_code == 503:
            assert answer.headers.get("Retry-After"), "a 503 says when to come again"
            return False
        if answer.status_code == BAD_GATEWAY:
            return False
        assert answer.ok, f"{answer.status_code} {answer.text}"
        assert not [each for each in answer.json() if "error" in each], answer.text
        return True


class PageSender:
    """Sends to oneself from a page. A page does not try again: what failed is not acknowledged."""

    def __init__(self, visitor: Visitor, ledger: Ledger) -> None:
        self.visitor, self.ledger = visitor, ledger

    def __call__(self, over: threading.Event) -> None:
        mark = new_mark("page")
        self.ledger.note_sent(mark)
        try:
            answer = self.visitor.post("/notifications/send", json={"title": mark, "message": "", "type": "info"})
        except requests.RequestException:
            self.ledger.note_refused()
            over.wait(AWAY_SECONDS)
            return
        if answer.status_code == 201:
            self.ledger.note_acknowledged(mark)
        else:
            assert answer.status_code in (503, BAD_GATEWAY), f"{answer.status_code} {answer.text}"
            self.ledger.note_refused()


class StreamSender:
    """Puts entries into a Redis Stream; what Redis took is acknowledged."""

    def __init__(self, url: str, stream: str, ledger: Ledger, to: str, batch: int = BATCH) -> None:
        self.redis, self.stream = redis.Redis.from_url(url), stream
        self.ledger, self.to, self.batch = ledger, to, batch

    def __call__(self, over: threading.Event) -> None:
        self.once()

    def once(self) -> list[str]:
        """Put one batch in; its marks."""
        marks = [new_mark("stream") for _ in range(self.batch)]
        self.ledger.note_sent(*marks)
        with self.redis.pipeline() as pipeline:
            for mark in marks:
                pipeline.xadd(self.stream, {"envelope": json.dumps(envelope(mark, self.to))})
            pipeline.execute()
        self.ledger.note_acknowledged(*marks)
        return marks


@contextlib.contextmanager
def sending(*sends: Callable[[threading.Event], None]) -> Iterator[None]:
    """All of them send, each in a thread, while the block runs."""
    senders = [Sender(each, type(each).__name__) for each in sends]
    try:
        yield
    finally:
        for sender in senders:
            sender._over.set()
        for sender in senders:
            sender.stop()
