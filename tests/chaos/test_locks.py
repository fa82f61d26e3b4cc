"""Another process holds the write lock: nobody who does not write waits, and nothing is half done."""

import sqlite3
from contextlib import contextmanager

import pytest
from clients.producer import Producer, token
from clients.wires import hub, socket
from servers import wait_until

from chaos.bystander import standing_by
from chaos.load import ApiSender, sending
from chaos.rounds import wait_for_acknowledged
from chaos.screens import screens, settle

WRITERS = 20
ANSWERS = 50
USER = "writer"


@pytest.fixture(scope="module")
def site(make_site):
    return make_site(NOTIWAY_PUBLISH_RATE="1000000 per minute").start()


@contextmanager
def write_lock(site):
    """Hold SQLite's write lock, as a cleanup or a migration in another process would."""
    lock = sqlite3.connect(site.folder / "notiway.db", isolation_level=None, timeout=30)
    try:
        lock.execute("BEGIN IMMEDIATE")
        yield
    finally:
        lock.close()


def test_twenty_writers_wait_and_everybody_else_is_served(ledger, site):
    producer = Producer(site)
    senders = [ApiSender(producer, ledger, f"user:{USER}", batch=1) for _ in range(WRITERS)]
    with standing_by(site, ledger) as bystander, screens(site, ledger, token(site, USER)):
        with sending(*senders):
            wait_for_acknowledged(ledger, WRITERS)
            with write_lock(site):
                bystander.forget()
                bystander.wait_for(ANSWERS)
                assert not bystander.failures
            wait_for_acknowledged(ledger, WRITERS)
        settle(site, ledger)
    ledger.check()


def test_what_cannot_be_written_is_answered_on_every_way_and_not_half_done(ledger, site):
    user = "reader of a locked inbox"
    key = token(site, user)
    producer = Producer(site)
    sender = ApiSender(producer, ledger, f"user:{user}", batch=1)
    with standing_by(site, ledger), screens(site, ledger, key):
        sender.once()
        with socket(site, key) as tab, hub(site, key) as device, write_lock(site):
            (item,) = items(site, user)
            with sending(sender):
                tab.say("markAsRead", notificationId=item)
                device.call("MarkAsRead", f"user:{user}", item)
                refusal = tab.hear_all(until=lambda message: message["event"] == "error")[-1]
                assert refusal["data"]["code"] == "Unavailable"
                assert completion(device)["error"].startswith("Unavailable")
                wait_until(lambda: ledger.refused)
            assert items(site, user) == {item: None}, "still unread"
        settle(site, ledger)
    ledger.check()


def completion(device):
    while (message := device.hear()).get("type") != 3:
        pass
    return message


def items(site, user):
    """The user's items, and when each was read."""
    with sqlite3.connect(site.folder / "notiway.db", timeout=30) as opened:
        query = "SELECT notification_id, read_at FROM notiway_inbox_item WHERE user_id = ?"
        found = dict(opened.execute(query, (user,)).fetchall())
    opened.close()
    return found
