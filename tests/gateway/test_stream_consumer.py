"""The consumer takes envelopes from a Redis Stream: none lost, none twice, broken ones put aside with the reason."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
import redis
from servers import redis_server, wait_until
from serving import ROOT, Site

from notiway.gateway import publish, stream_consumer
from notiway.gateway.stream_consumer import CLAIM_AFTER_SECONDS, Consumer
from notiway.store import inbox
from notiway.store.database import db
from notiway.store.tables import Notification
from notiway.verbs import items
from notiway.verbs.recall import recall

STREAM = "notiway"
DEAD = f"{STREAM}:dead"

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def url():
    with redis_server() as found:
        yield found


@pytest.fixture
def stream(url):
    client = redis.Redis.from_url(url)
    client.flushall()
    yield client
    client.close()


def envelope(number, **changes):
    return {
        "id": f"order-{number}",
        "type": "order-shipped",
        "body": {"orderId": number},
        "routing": {"audienceType": 4, "audienceValue": "user-1"},
        "metadata": {"producer": "orders", "isPersisted": True},
    } | changes


def put(client, *envelopes):
    with client.pipeline() as pipeline:
        for each in envelopes:
            pipeline.xadd(STREAM, {"envelope": each if isinstance(each, str | bytes) else json.dumps(each)})
        pipeline.execute()


def consume(app, url, client, claim_after=CLAIM_AFTER_SECONDS):
    """Run a consumer until the group has nothing left."""
    with app.app_context():
        consumer = Consumer(app.extensions["notiway"], url, STREAM, claim_after)
        return consumer.run(lambda: is_done(client))


def is_done(client):
    groups = client.xinfo_groups(STREAM) if client.exists(STREAM) else []
    return bool(groups) and groups[0]["pending"] == 0 and groups[0]["lag"] == 0


def test_what_is_put_on_the_stream_is_in_the_inbox(app, url, stream):
    put(stream, *(envelope(number) for number in range(450)))
    assert consume(app, url, stream).taken == 450
    with app.app_context():
        assert inbox.unread_count("user-1") == inbox.COUNT_CAP
        assert Notification.select().count() == 450


def test_the_same_envelope_again_is_stored_once(app, url, stream):
    put(stream, envelope(1), envelope(1), envelope(2))
    tally = consume(app, url, stream)
    assert (tally.taken, tally.duplicates) == (3, 1)
    with app.app_context():
        assert Notification.select().count() == 2


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("{", "no JSON"),
        (b"\xff", "no JSON"),
        ("[]", "must be an object"),
        (json.dumps(envelope(1, id="")), "id"),
        (json.dumps(envelope(1, routing={"audienceType": 9})), "routing.audienceType"),
        (json.dumps(envelope(1, routing={"audienceType": 3})), "routing.audienceValue"),
    ],
)
def test_a_broken_entry_is_put_aside_with_the_reason_and_harms_no_other(app, url, stream, entry, reason):
    put(stream, envelope(1), entry, envelope(2))
    tally = consume(app, url, stream)
    assert (tally.taken, tally.dead) == (2, 1)
    (_, aside), *rest = stream.xrange(DEAD)
    assert not rest
    assert reason in aside[b"reason"].decode()
    assert aside[b"envelope"] == (entry if isinstance(entry, bytes) else entry.encode())


def test_an_entry_without_an_envelope_is_put_aside_with_all_that_it_held(app, url, stream):
    stream.xadd(STREAM, {"payload": json.dumps(envelope(1)), "raw": b"\xff"})
    assert consume(app, url, stream).dead == 1
    ((_, aside),) = stream.xrange(DEAD)
    assert aside[b"reason"] == b"The entry has no field 'envelope'"
    assert json.loads(aside[b"fields"]) == {"payload": json.dumps(envelope(1)), "raw": "\\xff"}
    assert b"envelope" not in aside


def test_what_a_dead_consumer_took_is_claimed(app, url, stream):
    put(stream, envelope(1), envelope(2))
    stream.xgroup_create(STREAM, "notiway", id="0")
    stream.xreadgroup("notiway", "dead", {STREAM: ">"}, count=2)
    assert consume(app, url, stream, claim_after=0.1).taken == 2


@pytest.fixture
def told(app, monkeypatch):
    """The ids that the producer gave to what was told."""
    heard = []

    def hear(events):
        heard.extend(event.data["notification"]["dedupe_key"] for event in events if event.kind == "created")

    monkeypatch.setattr(app.extensions["notiway"].broker, "publish", hear)
    return heard


def die_before_anything_is_told(app, url, monkeypatch):
    """A consumer commits what waits, and is killed before its Events and the acknowledgement."""
    with monkeypatch.context() as killed, app.app_context():
        killed.setattr(publish, "_ring", lambda *args: None)
        killed.setattr(Consumer, "_finish", lambda *args: interrupt())
        with pytest.raises(KeyboardInterrupt):
            Consumer(app.extensions["notiway"], url, STREAM).run(lambda: False)


def interrupt():
    raise KeyboardInterrupt


def test_what_a_killed_consumer_had_committed_is_told_by_the_next_one(app, url, stream, told, monkeypatch):
    everyone = {"audienceType": 1, "audienceValue": None}
    put(stream, *(envelope(number) for number in range(5)), envelope(5, routing=everyone), envelope(5))
    die_before_anything_is_told(app, url, monkeypatch)
    put(stream, envelope(6))
    with app.app_context():
        read, deleted, recalled = [
            str(Notification.get(Notification.dedupe_key == f"order-{number}").id) for number in range(3)
        ]
        items.mark_read("user-1", [read])
        items.delete("user-1", [deleted])
        recall(recalled, by="ada")
        told.clear()
    assert consume(app, url, stream, claim_after=0).duplicates == 7
    assert sorted(set(told)) == [f"order-{number}" for number in range(3, 7)]
    with app.app_context():
        assert Notification.select().count() == 7


def test_what_was_told_and_acknowledged_is_not_told_again(app, url, stream, told):
    put(stream, envelope(1), envelope(1))
    consume(app, url, stream)
    put(stream, envelope(1))
    consume(app, url, stream)
    assert told == ["order-1"]


class Queue:
    """A broker that takes nothing so many times, or until it is told to."""

    def __init__(self, faults=0):
        self.faults, self.tries, self.told = faults, 0, []

    def publish(self, events):
        self.tries += 1
        if self.faults:
            self.faults -= 1
            raise ConnectionError("the queue took no event")
        self.told += [event.data["notification"]["dedupe_key"] for event in events]


@pytest.fixture
def queue(app, monkeypatch):
    monkeypatch.setattr(stream_consumer, "PAUSE_SECONDS", (0.01, 0.02))
    found = Queue()
    monkeypatch.setattr(app.extensions["notiway"].broker, "publish", found.publish)
    return found


def test_what_the_queue_did_not_take_is_told_when_it_is_back_and_then_acknowledged(app, url, stream, queue, caplog):
    unstored = {"metadata": {"producer": "orders", "isPersisted": False}}
    put(stream, envelope(1), envelope(2, **unstored), "broken", envelope(3), envelope(3))
    queue.faults = 3
    consume(app, url, stream)
    assert sorted(queue.told) == ["order-1", "order-2", "order-3"], "each once, what is stored nowhere too"
    assert queue.tries == 3 + 1, "one wait for each try, however many wait to be told"
    assert "3 entries" in caplog.text, "those that share an id count once"
    assert stream.xlen(DEAD) == 1


def test_what_the_queue_took_is_not_told_again(app, url, stream, queue, monkeypatch):
    put(stream, envelope(1), envelope(2), envelope(3))
    took = queue.publish

    def publish(event):
        queue.faults = 1 if queue.tries == 1 else 0  # the second one
        took(event)

    monkeypatch.setattr(app.extensions["notiway"].broker, "publish", publish)
    consume(app, url, stream)
    assert queue.told == ["order-1", "order-2", "order-3"]


def test_while_the_queue_is_dead_all_is_stored_and_nothing_acknowledged(app, url, stream, queue, monkeypatch):
    monkeypatch.setattr(stream_consumer, "PAUSE_SECONDS", (60.0, 60.0))
    monkeypatch.setattr(stream_consumer, "BATCH", 10)
    put(stream, *(envelope(number) for number in range(50)))
    queue.faults = 1_000_000
    with app.app_context():
        consumer = Consumer(app.extensions["notiway"], url, STREAM)
        consumer.run(lambda: Notification.select().count() == 50)
    assert queue.tries == 1, "the next try is a minute away"
    assert stream.xpending(STREAM, "notiway")["pending"] == 50
    queue.faults = 0
    consume(app, url, stream, claim_after=0)
    assert sorted(queue.told) == sorted(f"order-{number}" for number in range(50))


def test_nothing_is_acknowledged_before_the_commit(app, url, stream, monkeypatch):
    put(stream, envelope(1))
    pending = []
    commit = db.obj.commit

    def spy():
        pending.append(stream.xpending(STREAM, "notiway")["pending"])
        return commit()

    monkeypatch.setattr(db.obj, "commit", spy)
    consume(app, url, stream)
    assert pending
    assert all(count == 1 for count in pending)


@pytest.mark.server
def test_a_consumer_killed_in_the_middle_loses_nothing_and_stores_nothing_twice(tmp_path, url, stream):
    site = Site(tmp_path).prepare()
    put(stream, *(envelope(number) for number in range(5_000)))
    words = ["-m", "flask", "--app", "app", "notiway", "consume", url, "--stream", STREAM, "--claim-after", "0.5"]

    def start():
        return subprocess.Popen(
            [sys.executable, *words], env=site.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def is_half_way():
        groups = stream.xinfo_groups(STREAM)
        return groups and groups[0]["entries-read"] is not None and groups[0]["entries-read"] >= 1_000

    first = start()
    wait_until(is_half_way)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert not is_done(stream), "it was killed too late to prove anything"
    second = start()
    wait_until(lambda: is_done(stream))
    second.terminate()
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 0, output
    ids = stored_ids(site)
    assert len(ids) == 5_000
    assert len(set(ids)) == 5_000


def stored_ids(site):
    with closing(sqlite3.connect(site.folder / "notiway.db")) as database:
        return [row[0] for row in database.execute("SELECT dedupe_key FROM notiway_notification")]


def test_what_can_wait_in_the_stream_stays_there_while_events_wait_for_too_long(app, url, stream, monkeypatch):
    put(stream, envelope(1))
    answers = iter([True, True, False])
    waits = []
    monkeypatch.setattr(app.extensions["notiway"], "is_crowded", lambda: next(answers, False), raising=False)
    monkeypatch.setattr(
        stream_consumer.time, "sleep", lambda seconds: waits.append((seconds, stream.xinfo_groups(STREAM)[0]["lag"]))
    )
    assert consume(app, url, stream).taken == 1
    assert waits[:2] == [(stream_consumer.CROWDED_SECONDS, 1)] * 2
