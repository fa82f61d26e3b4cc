"""The consumer of a Redis Stream: killed between commit and Event, and with its queue locked."""

import sqlite3

from clients.producer import token
from servers import wait_until

from chaos.bystander import standing_by
from chaos.load import StreamSender
from chaos.rounds import consuming
from chaos.screens import screens, settle
from chaos.stored import read_store

ENTRIES = 600
KILLS = 4
ANSWERS = 50


def test_killed_right_after_a_commit_it_tells_what_it_had_stored(ledger, shared, redis_url):
    user, stream = "told late", "killed often"
    sender = StreamSender(redis_url, stream, ledger, f"user:{user}", batch=ENTRIES // KILLS)
    with (
        consuming(shared, redis_url, stream) as consumer,
        standing_by(shared, ledger),
        screens(shared, ledger, token(shared, user)),
    ):
        for _ in range(KILLS):
            before = count_stored(shared, ledger)
            sender.once()
            wait_until(lambda before=before: count_stored(shared, ledger) > before)
            consumer.kill()
            consumer.start()
        settle(shared, ledger)
    ledger.check()


def test_with_the_queue_locked_it_lives_and_so_does_the_web_process(ledger, start, redis_url):
    user, stream = "queued", "locked queue"
    site = start()
    sender = StreamSender(redis_url, stream, ledger, f"user:{user}")
    with (
        consuming(site, redis_url, stream) as consumer,
        standing_by(site, ledger) as bystander,
        screens(site, ledger, token(site, user)),
    ):
        sender.once()
        settle(site, ledger)
        lock = sqlite3.connect(site.folder / "jobs.db", isolation_level=None, timeout=30)
        try:
            lock.execute("BEGIN EXCLUSIVE")
            bystander.forget()
            for _ in range(3):
                sender.once()
            bystander.wait_for(ANSWERS)
            wait_until(lambda: "did not accept an event" in consumer.log.read_text())
        finally:
            lock.close()
        settle(site, ledger)
        assert consumer.process.poll() is None, consumer.log.read_text()[-2000:]
    ledger.check()


def count_stored(site, ledger):
    read_store(site, ledger)
    return sum(ledger.stored.values())
