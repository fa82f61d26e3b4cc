"""A message that another process stored reaches a screen though a later one overtook it."""

import sqlite3

from clients.producer import token
from servers import wait_until

from chaos.bystander import standing_by
from chaos.load import ApiSender, StreamSender
from chaos.rounds import consuming
from chaos.screens import screens, settle
from chaos.stored import is_stored

ROUNDS = 6
USER = "overtaken"
STREAM = "overtaking"


def test_a_line_that_blinks_while_the_relay_is_under_way(ledger, shared, producer, redis_url):
    """A is stored by the consumer, B by HTTP. B is heard, the line breaks, and A's Event comes to nobody."""
    late = StreamSender(redis_url, STREAM, ledger, f"user:{USER}", batch=1)
    quick = ApiSender(producer, ledger, f"user:{USER}", batch=1)
    blinked = 0
    with (
        consuming(shared, redis_url, STREAM),
        standing_by(shared, ledger),
        screens(shared, ledger, token(shared, USER)) as opened,
    ):
        for _ in range(ROUNDS):
            (mark,) = late.once()
            wait_until(lambda: is_stored(shared, ledger))
            before = set(ledger.acknowledged)
            quick.once()
            (newer,) = ledger.acknowledged - before
            wait_until(lambda newer=newer: all(newer in screen.has_heard for screen in opened))
            blinked += not any(mark in screen.has_heard for screen in opened)
            for screen in opened:
                screen.blink()
            wait_until(lambda: not waiting_relays(shared))
            for screen in opened:
                screen.wake()
        settle(shared, ledger)
    ledger.remarks["overtaken"] = blinked
    ledger.check()
    assert blinked, "no message was overtaken: this shows nothing"


def waiting_relays(site):
    with sqlite3.connect(site.folder / "jobs.db", timeout=30) as opened:
        (count,) = opened.execute("SELECT count(*) FROM task").fetchone()
    opened.close()
    return count
